"""Signed releases: what a broker can bring, and what a thief of online keys can sign.

TUF's client reads whatever is signed before it knows what it says, so it is fuzzed twice: as it
travels, and with a true signature under any JSON at all.
"""

import atexit
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from securesystemslib.formats import encode_canonical
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import MetaFile, TargetFile

from agent.update.client import Client
from agent.update.errors import UpdateError
from agent.update.fetcher import MqttFetcher
from agent.update.floor import Floor
from agent.update.line import Heard
from agent.update.trust import read_rollout
from broker.fleet.releases.keys import key_path, open_key
from broker.fleet.releases.metadata import dump
from broker.fleet.releases.repository import Repository
from broker.fleet.releases.rotation import rotate
from broker.fleet.releases.shelf import Shelf
from broker.fleet.releases.signing import keys_of
from broker.wire import parts
from broker.wire.release import PackagePlan, digest
from broker.wire.topics import FleetId, parse_release_metadata
from broker.wire.vouched import ROLLOUT
from tests.fuzz.target import Target
from tests.releases import MEMORY, NOW_S, a_plan, a_rollout, make_repository

FLEET = FleetId("home")
Wrap = Callable[[bytes], bytes]
ONLINE = ("timestamp", "snapshot", ROLLOUT)
FILES = {
    "root": "2.root.json",
    "timestamp": "timestamp.json",
    "snapshot": "2.snapshot.json",
    "rollout": "1.rollout.json",
}
RAW = ("root", "timestamp")  # the others travel as these do
_KEY = bytes(32)
_PATIENCE_S = 0.02  # for what does not come: damage asks for much that there is not


class Retained:
    """A broker that retains some files, and one that is damaged."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = dict(files)  # name -> payload of the first part
        self._brought: list[Heard] = []

    def watch(self, topics: Sequence[str]) -> None:
        """Bring what there is."""
        for topic in topics:
            name, part = parse_release_metadata(topic) or ("", 0)
            if not part and self.files.get(name):
                self._brought.append(Heard(topic, self.files[name]))

    def unwatch(self, topics: Sequence[str]) -> None:
        """Nothing is pushed here."""

    def hear(self, _timeout_s: float) -> Heard | None:
        """The next."""
        return self._brought.pop(0) if self._brought else None

    def say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Nobody listens."""


def _client(files: Mapping[str, bytes], folder: Path, name: str, wrap: Wrap) -> Target:
    """TUF's client, which gets one damaged file among true ones."""
    line = Retained({each: parts.split(data)[0] for each, data in files.items()})

    def read(data: bytes) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        line.files[name] = wrap(data)
        fetcher = MqttFetcher(line, FLEET, patience_s=_PATIENCE_S, grace_s=0.0)
        client = Client(folder, fetcher, files["1.root.json"], now_s=NOW_S)
        client.refresh()
        client.find("rollout/all/lights.json")

    seed = files[name]
    return Target(read, (UpdateError,), (seed,) if wrap is not _as_it_is else (b"\0" + seed,))


def _thiefs(shelf: Shelf) -> dict[str, bytes]:
    """Metadata whose hashes a thief of the online keys has left out, and another root."""
    rotate(Repository(shelf.folder.parent), "root", passphrase=None, now_s=NOW_S)
    files = {each: shelf.data(each) for each in shelf.current()}
    snapshot, timestamp = shelf.snapshot(), shelf.timestamp()
    for role, meta in snapshot.signed.meta.items():
        snapshot.signed.meta[role] = MetaFile(meta.version)
    timestamp.signed.snapshot_meta = MetaFile(snapshot.signed.version)
    snapshot.sign(_signer(shelf, "snapshot"))
    timestamp.sign(_signer(shelf, "timestamp"))
    return {**files, "2.snapshot.json": dump(snapshot), "timestamp.json": dump(timestamp)}


def _signer(shelf: Shelf, role: str) -> CryptoSigner:
    delegator = shelf.targets() if role == ROLLOUT else shelf.root()
    (key,) = keys_of(delegator.signed, role)
    return open_key(key_path(shelf.folder / "online", role, key))


def _as_it_is(data: bytes) -> bytes:
    return data


def _truly_signed(shelf: Shelf, role: str) -> Wrap:
    """Whatever is `signed` in a file, under the true signature of its role."""
    signer = _signer(shelf, role)

    def wrap(data: bytes) -> bytes:
        try:
            document = json.loads(data)
            signed = document.get("signed", document) if isinstance(document, dict) else document
            signature = signer.sign((encode_canonical(signed) or "").encode())
        except Exception:  # noqa: BLE001 - what cannot be signed travels as it is
            return b"\0" + data[: parts.PART_BYTES - 1]
        told = [{"keyid": signature.keyid, "sig": signature.signature}]
        return b"\0" + json.dumps({"signatures": told, "signed": signed}).encode()

    return wrap


def _rollout(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    target = TargetFile(0, {"sha256": digest(b"")}, "rollout/all/lights.json")
    target.unrecognized_fields["custom"] = {ROLLOUT: text}
    read_rollout(target)


def release_targets(folder: Path) -> dict[str, Target]:
    """All parsers of what is signed, and of what a board noted of it."""
    shelf = make_repository(folder / "fleet").shelf
    files, memory = _thiefs(shelf), Path(tempfile.mkdtemp(dir=MEMORY))
    atexit.register(shutil.rmtree, memory)
    clients = {
        **{f"release {role}": (name, _as_it_is) for role, name in FILES.items() if role in RAW},
        **{f"signed {role}": (FILES[role], _truly_signed(shelf, role)) for role in ONLINE},
    }
    floor = memory / "update-floor"
    kept = Floor(floor, _KEY)
    sealed = b'{"timestamp":3,"count":2}'

    def noted(data: bytes) -> None:
        (memory / "update-floor.a").write_bytes(kept.seal(data) + data)
        if not kept.read(memory / "update-floor.a").count:
            raise ValueError("damaged")

    return {
        **{
            title: _client(files, memory / name, name, wrap)
            for title, (name, wrap) in clients.items()
        },
        "release part": Target(parts.read_part, (ValueError,), (b"\0data",)),
        "rollout": Target(_rollout, (UpdateError,), (a_rollout(1, a_plan()).write(),)),
        "plan": Target(PackagePlan.read, (ValueError,), (a_plan().write(),)),
        "update floor": Target(noted, (ValueError,), (sealed,)),
    }
