"""The operator's releases, each on its way through the waves, as they lie on disk.

DIR/releases/rollouts/GROUP.PACKAGE.json    the latest release of a package for a group
"""

from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta

from broker.fleet.errors import NotAFleetError, UnknownRolloutError
from broker.fleet.folder import store
from broker.fleet.private import make_private
from broker.fleet.releases.waves import Waves
from broker.wire.document import Document, Name
from broker.wire.release import PackageName, PackageVersion, Rollout, Time

_FOLDER: Final = "rollouts"


class Course(Document, frozen=True):
    """One release on its way."""

    group: Name
    package: PackageName
    version: PackageVersion
    rollout: Rollout  # as it is signed
    waves: Waves
    began_s: Time
    wave: Annotated[int, Meta(ge=0)] = 0  # from 0
    wave_began_s: Time = 0.0
    finished: bool = False  # the last wave is through; boards that come later still take it
    halted: bool = False  # paused by itself
    why: str = ""  # it is paused or aborted

    @property
    def name(self) -> str:
        """For people."""
        return f"release {self.rollout.release} of {self.package} for {self.group}"

    @property
    def moves(self) -> bool:
        """Whether its waves go on by themselves."""
        return self.rollout.state == "running" and not self.finished


class Courses:
    """All releases of a fleet that are in force.

    Args:
        releases: The fleet's folder of releases.
    """

    def __init__(self, releases: Path) -> None:
        self._folder = releases / _FOLDER

    def all(self) -> list[Course]:
        """By package, then group.

        Raises:
            NotAFleetError: a file is damaged.
        """
        found = [_read(path) for path in sorted(self._folder.glob("*.json"))]
        return sorted(found, key=lambda course: (course.package, course.group))

    def find(self, group: str, package: str) -> Course | None:
        """The one for a group and a package; None: there is none.

        Raises:
            NotAFleetError: its file is damaged.
        """
        path = self._path(group, package)
        return _read(path) if path.exists() else None

    def one(self, package: str | None, group: str | None) -> Course:
        """The one that a person means.

        Raises:
            UnknownRolloutError: there is none, or more than one.
            NotAFleetError: a file is damaged.
        """
        every = self.all()
        meant = [
            course
            for course in every
            if package in {None, course.package} and group in {None, course.group}
        ]
        if len(meant) == 1:
            return meant[0]
        known = ", ".join(f"{each.package} for {each.group}" for each in every) or "none"
        problem = "name the package and its --group" if meant else "there is no such release"
        raise UnknownRolloutError(f"{problem}; released: {known}")

    def put(self, course: Course) -> None:
        """Store one.

        Raises:
            OSError: the disk refused.
        """
        make_private(self._folder)
        store(self._path(course.group, course.package), course.write())

    def drop(self, group: str, package: str) -> None:
        """Forget one."""
        self._path(group, package).unlink(missing_ok=True)

    def _path(self, group: str, package: str) -> Path:
        return self._folder / f"{group}.{package}.json"


def _read(path: Path) -> Course:
    try:
        return Course.read(path.read_bytes())
    except (OSError, ValueError) as error:
        raise NotAFleetError(f"{path}: {error}. Restore it from a backup") from error
