"""A repository that can be made to say anything, and the client that reads it over MQTT."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    TOP_LEVEL_ROLE_NAMES,
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from agent.update.client import Client, translated
from agent.update.errors import UpdateError
from agent.update.fetcher import MqttFetcher
from broker.wire.release import digest
from broker.wire.topics import parse_release_metadata
from tests.line import PATIENCE_S, NotedLine
from tests.retained import Retained

NOW = datetime(2030, 1, 1, tzinfo=UTC)
SAFE = NOW + timedelta(days=30)
AnySigned = Root | Timestamp | Snapshot | Targets
_TOP = ("root", "timestamp", "snapshot", "targets")
GRACE_S = 0.05


def days(number: float) -> datetime:
    """So many days from now."""
    return NOW + timedelta(days=number)


@dataclass
class Repository:
    """Metadata that is edited freely; `publish` signs it and brings it to the broker."""

    retained: Retained
    hashes: bool = False  # whether snapshot and timestamp pin by hash and length too
    root: Root = field(default_factory=lambda: Root(expires=SAFE, consistent_snapshot=True))
    timestamp: Timestamp = field(default_factory=lambda: Timestamp(expires=SAFE))
    snapshot: Snapshot = field(default_factory=lambda: Snapshot(expires=SAFE))
    targets: Targets = field(default_factory=lambda: Targets(expires=SAFE))
    delegated: dict[str, Targets] = field(default_factory=dict)
    signers: dict[str, list[CryptoSigner]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)  # as published
    blocks: dict[str, bytes] = field(default_factory=dict)  # by the digest that is vouched for

    def __post_init__(self) -> None:
        for role in _TOP:
            self.add_key(role)
        self.publish("targets", "snapshot", "timestamp", "root", bump=False)

    def signed(self, role: str) -> AnySigned:
        """What a role says."""
        found: AnySigned = self.delegated.get(role) or getattr(self, role)
        return found

    def add_key(self, role: str, delegator: Targets | None = None) -> CryptoSigner:
        """One more key for a role, which signs from now on."""
        signer = CryptoSigner.generate_ed25519()
        self.add_signer(role, signer)
        (delegator or self.root).add_key(signer.public_key, role)
        return signer

    def add_signer(self, role: str, signer: CryptoSigner) -> None:
        """Have a key sign, whether it may or not."""
        self.signers.setdefault(role, []).append(signer)

    def rotate_keys(self, role: str) -> None:
        """Another key instead of those that there are."""
        for keyid in list(self.root.roles[role].keyids):
            self.root.revoke_key(keyid, role)
        self.signers[role].clear()
        self.add_key(role)

    def delegate(self, delegator: str, role: DelegatedRole, targets: Targets | None = None) -> None:
        """Have a role vouch for what another one says."""
        by = self.signed(delegator)
        assert isinstance(by, Targets)
        if by.delegations is None:
            by.delegations = Delegations({}, {})
        assert by.delegations.roles is not None
        by.delegations.roles[role.name] = role
        self.delegated.setdefault(role.name, targets or Targets(expires=SAFE))
        for signer in self.signers.get(role.name, []):
            by.add_key(signer.public_key, role.name)
        if role.name not in self.signers:
            self.add_key(role.name, by)

    def add_target(self, role: str, content: bytes, path: str) -> None:
        """Vouch for a file."""
        by = self.signed(role)
        assert isinstance(by, Targets)
        by.targets[path] = TargetFile.from_data(path, content, ["sha256"])
        self.blocks[digest(content)] = content

    def publish(self, *roles: str, bump: bool = True) -> None:
        """Sign roles in this order; what pins them says so once it is published too."""
        for role in roles:
            signed = self.signed(role)
            signed.version += bump
            if isinstance(signed, Snapshot):
                self._pin_targets(signed)
            if isinstance(signed, Timestamp):
                snapshot = self.files[f"{self.snapshot.version}.snapshot.json"]
                signed.snapshot_meta = self._pinned(self.snapshot.version, snapshot)
            self._put(role, signed)
        self.bring()

    def publish_as_it_is(self, role: str) -> None:
        """Sign a role and nothing of it changed, whatever it says of others."""
        self._put(role, self.signed(role))
        self.bring()

    def bring(self) -> None:
        """Have the broker hold all of it."""
        self.retained.put(self.files)
        self.retained.put_blocks(self.blocks)

    def _pin_targets(self, snapshot: Snapshot) -> None:
        for role in ("targets", *self.delegated):
            version = self.signed(role).version
            data = self.files.get(f"{version}.{role}.json", b"")
            snapshot.meta[f"{role}.json"] = self._pinned(version, data)

    def _pinned(self, version: int, data: bytes) -> MetaFile:
        return MetaFile.from_data(version, data, ["sha256"]) if self.hashes else MetaFile(version)

    def _put(self, role: str, signed: AnySigned) -> None:
        metadata: Metadata[Root] = Metadata(signed)  # type: ignore[arg-type] # any of them
        for signer in self.signers[role]:
            metadata.sign(signer, append=True)
        name = "timestamp.json" if role == "timestamp" else f"{signed.version}.{role}.json"
        self.files[name] = metadata.to_bytes()


@dataclass
class Reader:
    """TUF's client on a folder of its own."""

    folder: Path
    line: NotedLine
    repository: Repository
    root: bytes
    now: datetime = NOW
    downloaded: dict[str, bytes] = field(default_factory=dict)

    def refresh(self) -> bool:
        """Whether it took what is there."""
        try:
            self._client().refresh()
        except UpdateError:
            return False
        return True

    def download(self, path: str) -> bool:
        """Whether it found a file and took it."""
        try:
            client, fetcher = self._client(), self._fetcher()
            target = client.find(path)
            if target is None:
                return False
            with translated():
                data = fetcher.block(target.hashes["sha256"])
                target.verify_length_and_hashes(data)
        except UpdateError:
            return False
        self.downloaded[path] = data
        return True

    def version(self, role: str) -> int:
        """Which version of a role it keeps; 0: none."""
        path = self.folder / f"{role}.json"
        if not path.exists():
            return 0
        metadata: Metadata[Root] = Metadata.from_file(str(path))
        return metadata.signed.version

    def versions(self) -> dict[str, int]:
        """Of all roles that it keeps."""
        return {path.stem: self.version(path.stem) for path in sorted(self.folder.glob("*.json"))}

    def asked(self) -> list[str]:
        """Which files of metadata it asked for, since the last time."""
        found = [parse_release_metadata(topic) for topic in self.line.asked]
        self.line.asked.clear()
        return [name for name, part in filter(None, found) if not part]

    def _client(self) -> Client:
        now_s = self.now.timestamp()
        return Client(self.folder, self._fetcher(), self.root, now_s=now_s)

    def _fetcher(self) -> MqttFetcher:
        fleet = self.repository.retained.fleet
        return MqttFetcher(self.line, fleet, patience_s=PATIENCE_S, grace_s=GRACE_S)


def delegated_names(asked: list[str]) -> Iterator[str]:
    """The roles below the top that were asked for."""
    for name in asked:
        role = name.removesuffix(".json").partition(".")[2]
        if role and role not in TOP_LEVEL_ROLE_NAMES:
            yield role
