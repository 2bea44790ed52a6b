"""What was ordered: noted, stored and signed, in this order, under one lock.

    change -> log -> course on disk -> signed by the online key

A command that is cut short leaves something noted or stored that is not signed; the next look at
the releases signs it. What cannot be signed is in the log and nowhere else.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from msgspec import structs

from broker.fleet.errors import FleetError
from broker.fleet.folder import locked
from broker.fleet.private import make_private
from broker.fleet.releases.audit import AuditLog, Deed, History, What
from broker.fleet.releases.courses import Course, Courses
from broker.fleet.releases.repository import Repository

ITSELF: Final = "by itself"
_MOST_WORDS: Final = 1000  # characters that the log takes


class Ledger:
    """The releases of one fleet, on disk and signed.

    Args:
        fleet: The operator's folder.
        who: Stands in the log: a person and a machine.
    """

    def __init__(self, fleet: Path, *, who: str) -> None:
        self.repository = Repository(fleet)
        self.folder = self.repository.shelf.folder
        self.courses = Courses(self.folder)
        self._log = AuditLog(self.folder)
        self._who = who

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else changes a release meanwhile."""
        make_private(self.folder)
        with locked(self.folder):  # a lock of its own: signing takes the fleet's
            yield

    def put(
        self, new: Course, before: Course | None, what: What, words: str, *, now_s: float
    ) -> Course:
        """Note, store and sign a change; what cannot be signed is in the log and nowhere else."""
        who = ITSELF if what in ("wave", "halt") else self._who
        head = self.note(new, what, words, who, now_s=now_s)
        signed = self.repository.rollout(new.group, new.package)
        number = max(signed.number if signed else 0, before.rollout.number if before else 0) + 1
        new = structs.replace(new, rollout=structs.replace(new.rollout, number=number, log=head))
        self.courses.put(new)
        try:
            self._sign(new, now_s=now_s)
        except FleetError:
            with suppress(OSError):
                self._put_back(new, before)
            raise
        return new

    def note(self, course: Course, what: What, words: str, who: str, *, now_s: float) -> str:
        """Note what was done; return the SHA-256 of its line."""
        deed = Deed(
            who=who,
            what=what,
            group=course.group,
            package=course.package,
            release=course.rollout.release,
            words=words,
        )
        return self._log.append(deed, now_s=now_s)

    def noted_forgetting(self, paths: Sequence[str], *, now_s: float) -> None:
        """Note what is vouched for no longer, a line for each package."""
        with self.locked():
            for course in {course.package: course for course in self.courses.all()}.values():
                mine = [path for path in paths if path.startswith(f"{course.package}/")]
                if mine:
                    words = ", ".join(mine)[:_MOST_WORDS]
                    self.note(course, "forget", words, self._who, now_s=now_s)

    def settle(self, *, now_s: float) -> None:
        """Sign what is on disk and was not signed, as the command that did it was cut short.

        Raises:
            FleetError: a file is damaged, or it cannot be signed.
        """
        with self.locked():
            for course in self.courses.all():
                signed = self.repository.rollout(course.group, course.package)
                if signed is None or signed.number < course.rollout.number:
                    self._sign(course, now_s=now_s)

    def find(self, group: str, package: str) -> Course | None:
        """A release as it is signed, not as a command is about to sign it.

        Raises:
            NotAFleetError: its file is damaged.
        """
        with self.locked():
            return self.courses.find(group, package)

    def history(self) -> History:
        """All that was done, and whether the log is as it was written.

        Raises:
            NotAFleetError: signed metadata is damaged.
        """
        signed = {}
        for course in self.courses.all():
            rollout = self.repository.rollout(course.group, course.package)
            signed[course.name] = rollout.log if rollout else ""
        return self._log.read(signed)

    def _sign(self, course: Course, *, now_s: float) -> None:
        self.repository.choose(course.group, course.package, course.rollout, now_s=now_s)

    def _put_back(self, new: Course, before: Course | None) -> None:
        if before is None:
            self.courses.drop(new.group, new.package)
        else:
            self.courses.put(before)
