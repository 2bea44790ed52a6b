"""Puts a service's folders and files in place, or takes them away; twice is as once.

Nothing of the operator's is overwritten or removed unasked: an edited settings file, keys, state.
"""

import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from broker.wire.files import write_durably
from firstline.exits import CommandError
from firstline.installing.files import SYSUSERS, USER, File, Folder

_SYSTEMD_RUNS = Path("/run/systemd/system")  # sd_booted(3)
_FILE_MODE = 0o644


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that is done, or would be."""

    what: str  # made, changed, kept, unchanged, removed, left, run
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A system below a root; `dry` only tells."""

    root: Path
    dry: bool

    def install(self, wanted: Iterable[Folder | File]) -> Iterator[Step]:
        """Put everything in place, the user as soon as its description is there.

        Raises:
            CommandError: the user cannot be made, or systemd does not read its units again.
            OSError: a file cannot be written.
        """
        for each in wanted:
            yield self._folder(each) if isinstance(each, Folder) else self._file(each)
            if each.place == SYSUSERS:
                yield self._user()
        yield from self._reload()

    def uninstall(
        self, service: str, wanted: Iterable[Folder | File], theirs: Iterable[str], *, purge: bool
    ) -> Iterator[Step]:
        """Stop the service and remove what is ours of it; with `purge` what is the operator's too.

        The user stays: its number must not come to own what it leaves behind.

        Raises:
            CommandError: systemd does not read its units again.
            OSError: a file cannot be removed.
        """
        if self._is_running:
            command = ("systemctl", "disable", "--now", service)
            if not self.dry:  # a service that is not there need not be stopped
                subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - our own words
            yield Step("run", " ".join(command))
        all_of_it = tuple(wanted)
        ours = [each for each in all_of_it if f"/{service}" in f"/{each.place}"]
        units = [each for each in ours if each.place.startswith("etc/")]
        for each in reversed(units):
            yield from self._removed(each.place)
        for place in theirs:
            if (self.root / place).exists():
                yield from self._removed(place) if purge else iter([Step("left", f"/{place}")])
        folders = [each.place for each in all_of_it if isinstance(each, Folder)] if purge else []
        for place in reversed(folders):
            yield from self._removed_if_empty(place)
        yield from self._reload()

    def _folder(self, folder: Folder) -> Step:
        path = self.root / folder.place
        if path.is_dir():
            return Step("unchanged", f"/{folder.place}")
        if not self.dry:
            path.mkdir(parents=True, mode=folder.mode)
            path.chmod(folder.mode)  # whatever the umask is
            if folder.owner != "root":
                self._give(path)
        return Step("made", f"/{folder.place}")

    def _file(self, file: File) -> Step:
        path, content = self.root / file.place, file.content.encode()
        there = path.is_file()
        if there and path.read_bytes() == content:
            return Step("unchanged", f"/{file.place}")
        if there and file.theirs:
            return Step("kept", f"/{file.place}")
        if not self.dry:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_durably(path, content)
            path.chmod(_FILE_MODE)
        return Step("changed" if there else "made", f"/{file.place}")

    def _user(self) -> Step:
        """Make the user, as sysusers.d(5) describes it."""
        if self._has_user():
            return Step("unchanged", f"user {USER}")
        if not self.dry:
            maker = shutil.which("systemd-sysusers")
            if maker is None:
                raise CommandError(
                    "there is no systemd-sysusers to make the user with",
                    fix=f"sudo useradd --system --user-group {USER}",
                )
            command = [maker, f"--root={self.root}", str(self.root / SYSUSERS)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
            if done.returncode != 0:
                raise CommandError(f"the user {USER} cannot be made: {done.stderr.strip()}")
        return Step("made", f"user {USER}")

    def _has_user(self) -> bool:
        return any(line.startswith(f"{USER}:") for line in self._users())

    def _users(self) -> list[str]:
        users = self.root / "etc/passwd"
        return users.read_text(encoding="utf-8").splitlines() if users.is_file() else []

    def _give(self, path: Path) -> None:
        """Give a folder to the service's user, of this system and no other."""
        line = next(line for line in self._users() if line.startswith(f"{USER}:"))
        _, _, user, group, *_ = line.split(":")
        shutil.chown(path, int(user), int(group))

    def _removed(self, place: str) -> Iterator[Step]:
        path = self.root / place
        if not path.exists():
            return
        if not self.dry:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        yield Step("removed", f"/{place}")

    def _removed_if_empty(self, place: str) -> Iterator[Step]:
        """Remove a folder that the other service may still need."""
        path = self.root / place
        if path.is_dir() and not any(path.iterdir()):
            yield from self._removed(place)

    @property
    def _is_running(self) -> bool:
        """Whether this is the system that systemd runs now."""
        return self.root == Path("/") and _SYSTEMD_RUNS.is_dir()

    def _reload(self) -> Iterator[Step]:
        if not self._is_running:
            return
        command = ["systemctl", "daemon-reload"]
        if not self.dry:
            done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
            if done.returncode != 0:
                raise CommandError(
                    f"systemd has not read its units again: {done.stderr.strip()}",
                    fix=f"sudo {' '.join(command)}",
                )
        yield Step("run", " ".join(command))
