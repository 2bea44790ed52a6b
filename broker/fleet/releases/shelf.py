"""The operator's copy of all metadata, as boards see it.

    DIR/releases/metadata/1.root.json ... timestamp.json    signed; what was published
    DIR/releases/metadata/root.signed                       see `broker.wire.vouched`
    DIR/releases/drafts/4.targets.json                      not signed by enough people yet

The timestamp is written last and says what counts: a file of a higher version that it does not
lead to is of a command that was cut short, and the next one writes it again.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root, Snapshot, T, Targets, Timestamp

from broker.fleet.errors import NotAFleetError
from broker.fleet.folder import store
from broker.fleet.private import make_private
from broker.fleet.releases.metadata import dump, file_name
from broker.wire.vouched import ROLLOUT, ROOT_FILE

RELEASES: Final = "releases"
_METADATA: Final = "metadata"
_DRAFTS: Final = "drafts"


class Shelf:
    """Metadata files of one fleet.

    Args:
        fleet: The operator's folder.
    """

    def __init__(self, fleet: Path) -> None:
        self.folder = fleet / RELEASES
        self._files = self.folder / _METADATA

    @property
    def exists(self) -> bool:
        """Whether there are releases; what a command that was cut short began is none."""
        return (self._files / ROOT_FILE).exists()

    @property
    def dated(self) -> bool:
        """Whether there is a timestamp."""
        return (self._files / file_name(Timestamp.type, 1)).exists()

    def changed_ns(self) -> int:
        """When it last changed, by the file's own date; 0: there are no releases."""
        path = self._files / file_name(Timestamp.type, 1)
        return path.stat().st_mtime_ns if path.exists() else 0

    def root_versions(self) -> list[int]:
        """All versions of the root, from the first on: boards walk along them."""
        found = self._files.glob("*.root.json")
        return sorted(int(path.name.partition(".")[0]) for path in found)

    def root(self) -> Metadata[Root]:
        """The newest.

        Raises:
            NotAFleetError: there are no releases, or a file is damaged.
        """
        versions = self.root_versions()
        return self.read(file_name(Root.type, versions[-1] if versions else 1))

    def timestamp(self) -> Metadata[Timestamp]:
        """The one of now.

        Raises:
            NotAFleetError: there are no releases, or a file is damaged.
        """
        return self.read(file_name(Timestamp.type, 1))

    def snapshot(self) -> Metadata[Snapshot]:
        """The one of now.

        Raises:
            NotAFleetError: there are no releases, or a file is damaged.
        """
        version = self.timestamp().signed.snapshot_meta.version
        return self.read(file_name(Snapshot.type, version))

    def targets(self) -> Metadata[Targets]:
        """What the offline keys vouch for now.

        Raises:
            NotAFleetError: there are no releases, or a file is damaged.
        """
        return self._pinned(Targets.type)

    def rollouts(self) -> Metadata[Targets]:
        """What the online key chooses now.

        Raises:
            NotAFleetError: there are no releases, or a file is damaged.
        """
        return self._pinned(ROLLOUT)

    def current(self) -> list[str]:
        """The files that boards need now.

        Raises:
            NotAFleetError: there are no releases, or a file is damaged.
        """
        snapshot = self.snapshot().signed
        roles = (Targets.type, ROLLOUT)
        pinned = {role: snapshot.meta[f"{role}.json"].version for role in roles}
        return [
            ROOT_FILE,
            *(file_name(Root.type, version) for version in self.root_versions()),
            *(file_name(role, version) for role, version in pinned.items()),
            file_name(Snapshot.type, snapshot.version),
            file_name(Timestamp.type, 1),  # last: it leads to the others
        ]

    def superseded(self) -> list[str]:
        """Files that are older than the version before the one of now. Roots are kept for ever.

        Raises:
            NotAFleetError: there are no releases, or a file is damaged.
        """
        snapshot = self.snapshot().signed
        now = {role: snapshot.meta[f"{role}.json"].version for role in (Targets.type, ROLLOUT)}
        now[Snapshot.type] = snapshot.version
        return [
            path.name
            for role, version in now.items()
            for path in sorted(self._files.glob(f"*.{role}.json"))
            if int(path.name.partition(".")[0]) < version - 1
        ]

    def forget(self, names: Iterable[str]) -> None:
        """Remove files that are over."""
        for name in names:
            (self._files / name).unlink(missing_ok=True)

    def read(self, name: str) -> Metadata[T]:
        """One file.

        Raises:
            NotAFleetError: it is not there, or damaged.
        """
        return read_metadata(self._files / name)

    def data(self, name: str) -> bytes:
        """The bytes of one file.

        Raises:
            NotAFleetError: it is not there.
        """
        return _bytes(self._files / name)

    def put(self, role: str, metadata: Metadata[T]) -> bytes:
        """Store a new version; return its bytes."""
        data = dump(metadata)
        self.put_file(file_name(role, metadata.signed.version), data)
        return data

    def put_file(self, name: str, data: bytes) -> None:
        """Store bytes."""
        make_private(self._files)
        store(self._files / name, data)

    def draft_path(self, role: str, version: int) -> Path:
        """Where a version lies that is not signed by enough people."""
        return self.folder / _DRAFTS / file_name(role, version)

    def put_draft(self, role: str, metadata: Metadata[T]) -> Path:
        """Store a version that others must sign too."""
        path = self.draft_path(role, metadata.signed.version)
        make_private(path.parent)
        store(path, dump(metadata))
        return path

    def _pinned(self, role: str) -> Metadata[Targets]:
        version = self.snapshot().signed.meta[f"{role}.json"].version
        return self.read(file_name(role, version))


def read_metadata(path: Path) -> Metadata[T]:
    """A file of metadata; its signatures are not looked at.

    Raises:
        NotAFleetError: it is not there, or damaged.
    """
    try:
        return Metadata.from_bytes(_bytes(path))
    except RepositoryError as error:
        raise NotAFleetError(f"{path}: {error}. Restore it from a backup") from error


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NotAFleetError(
            f"{path}: {error.strerror}. There are no releases yet, or a backup is to be restored"
        ) from error
