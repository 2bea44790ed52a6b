"""What the operator does with a release: begin, pause, resume, abort, and let its waves go on.

    order -> log -> course on disk -> signed by the online key -> published by who is connected

Each step holds the lock of the releases, and starts from what is on disk then: of two releases at
once one is the later, and of two processes that see a wave through one begins the next.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Literal

from msgspec import structs

from broker.fleet.errors import FleetError, RolloutStateError
from broker.fleet.folder import locked
from broker.fleet.private import make_private
from broker.fleet.releases.audit import AuditLog, Deed, History, What
from broker.fleet.releases.courses import Course, Courses
from broker.fleet.releases.repository import Repository
from broker.fleet.releases.standings import boards_of
from broker.fleet.releases.waves import Finish, Halt, Next, Wait, advise
from broker.fleet.root import read_roster
from broker.wire.update_report import UpdateReport

ITSELF: Final = "by itself"
_STATES: Final[Mapping[What, Literal["running", "paused", "aborted"]]] = {
    "pause": "paused",
    "resume": "running",
    "abort": "aborted",
}


class Rollouts:
    """The releases of one fleet.

    Args:
        fleet: The operator's folder.
        who: Stands in the log: a person and a machine.
    """

    def __init__(self, fleet: Path, *, who: str) -> None:
        self.fleet = fleet
        self.repository = Repository(fleet)
        self.releases = self.repository.shelf.folder
        self.courses = Courses(self.releases)
        self._log = AuditLog(self.releases)
        self._who = who

    def begin(self, draft: Course, *, now_s: float) -> Course:
        """Release: the first wave may take it. Numbers, percentage and dates are set here.

        Raises:
            FleetError: nobody vouches for what it chooses, or the disk refused.
        """
        with self._locked():
            before = self.courses.find(draft.group, draft.package)
            rollout = structs.replace(
                draft.rollout,
                release=self._latest(draft.group, draft.package) + 1,
                percent=draft.waves.percents[0],
                state="running",
            )
            new = structs.replace(draft, rollout=rollout, began_s=now_s, wave_began_s=now_s)
            replaced = f"; replaces {before.name}, which was at: {stage(before)}" if before else ""
            words = f"{new.version}, {stage(new)}{replaced}"
            return self._put(new, before, "release", words, now_s=now_s)

    def pause(self, course: Course, why: str, *, now_s: float) -> Course:
        """Nobody begins, downloads hold; what is being watched is watched on.

        Raises:
            RolloutStateError: it is aborted.
            FleetError: it cannot be signed, or the disk refused.
        """
        return self._change(course, "pause", why, now_s=now_s)

    def abort(self, course: Course, why: str, *, now_s: float) -> Course:
        """End it: downloads stop, who is being watched goes back. For ever: release again.

        Raises:
            FleetError: it cannot be signed, or the disk refused.
        """
        return self._change(course, "abort", why, now_s=now_s)

    def resume(self, course: Course, success: float | None, *, now_s: float) -> Course:
        """Let a paused release go on, with another bar if one is given.

        Raises:
            RolloutStateError: it is aborted.
            FleetError: it cannot be signed, or the disk refused.
        """
        return self._change(course, "resume", "", success=success, now_s=now_s)

    def go_on(self, reports: Mapping[str, UpdateReport], *, now_s: float) -> list[str]:
        """Let waves begin, finish and halt where it is time; what happened, in words.

        Raises:
            FleetError: a file is damaged, a change cannot be signed, or the disk refused.
        """
        happened = []
        for course in self.courses.all():
            if course.moves and not isinstance(self.advice(course, reports, now_s=now_s), Wait):
                with self._locked():
                    happened += self._step(course, reports, now_s=now_s)
        return happened

    def advice(
        self, course: Course, reports: Mapping[str, UpdateReport], *, now_s: float
    ) -> Next | Finish | Halt | Wait:
        """What is to be done about a release now."""
        boards = boards_of(
            course.rollout,
            group=course.group,
            package=course.package,
            roster=read_roster(self.fleet),
            reports=reports,
        )
        return advise(
            course.waves,
            course.wave,
            since_s=course.wave_began_s,
            standings=[board.standing for board in boards if board.turn],
            now_s=now_s,
        )

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

    def _latest(self, group: str, package: str) -> int:
        """The highest release of a package so far, whichever group it was for."""
        courses = [each for each in self.courses.all() if each.package == package]
        signed = self.repository.rollout(group, package)
        known = [each.rollout.release for each in courses] + ([signed.release] if signed else [])
        return max(known, default=0)

    def _step(
        self, seen: Course, reports: Mapping[str, UpdateReport], *, now_s: float
    ) -> list[str]:
        course = self.courses.find(seen.group, seen.package)
        if course is None or not course.moves:
            return []
        match self.advice(course, reports, now_s=now_s):
            case Next():
                wave = course.wave + 1
                rollout = structs.replace(course.rollout, percent=course.waves.percents[wave])
                new = structs.replace(course, rollout=rollout, wave=wave, wave_began_s=now_s)
                self._put(new, course, "wave", stage(new), now_s=now_s)
                return [f"{new.name}: {stage(new)}"]
            case Halt(why):
                rollout = structs.replace(course.rollout, state="paused")
                new = structs.replace(course, rollout=rollout, why=why)
                self._put(new, course, "halt", why, now_s=now_s)
                return [f"{new.name}: halted, {why}"]
            case Finish(words):
                self._note(course, "finish", words, ITSELF, now_s=now_s)
                self.courses.put(structs.replace(course, finished=True))
                return [f"{course.name}: finished, {words}"]
            case Wait():
                return []

    def _change(
        self, seen: Course, what: What, why: str, *, success: float | None = None, now_s: float
    ) -> Course:
        state = _STATES[what]
        with self._locked():
            course = self.courses.find(seen.group, seen.package)
            if course is None or course.rollout.release != seen.rollout.release:
                raise RolloutStateError(f"{seen.name} was replaced meanwhile")
            if course.rollout.state == "aborted" and state != "aborted":
                raise RolloutStateError(f"{course.name} is aborted for ever: release it again")
            if course.rollout.state == state and success is None:
                return course
            waves = course.waves
            if success is not None:
                waves = structs.replace(waves, success=success)
            new = structs.replace(
                course,
                rollout=structs.replace(course.rollout, state=state),
                waves=waves,
                wave_began_s=now_s if what == "resume" else course.wave_began_s,
                finished=course.finished and what != "resume",
                why=why,
            )
            words = why if success is None else f"success {success:g}"
            return self._put(new, course, what, words, now_s=now_s)

    def _put(
        self, new: Course, before: Course | None, what: What, words: str, *, now_s: float
    ) -> Course:
        """Note, store and sign a change; what cannot be signed is in the log and nowhere else."""
        who = ITSELF if what in ("wave", "halt") else self._who
        head = self._note(new, what, words, who, now_s=now_s)
        signed = self.repository.rollout(new.group, new.package)
        number = max(signed.number if signed else 0, before.rollout.number if before else 0) + 1
        new = structs.replace(new, rollout=structs.replace(new.rollout, number=number, log=head))
        self.courses.put(new)
        try:
            self.repository.choose(new.group, new.package, new.rollout, now_s=now_s)
        except FleetError:
            with suppress(OSError):
                self._put_back(new, before)
            raise
        return new

    def _put_back(self, new: Course, before: Course | None) -> None:
        if before is None:
            self.courses.drop(new.group, new.package)
        else:
            self.courses.put(before)

    def _note(self, course: Course, what: What, words: str, who: str, *, now_s: float) -> str:
        deed = Deed(
            who=who,
            what=what,
            group=course.group,
            package=course.package,
            release=course.rollout.release,
            words=words,
        )
        return self._log.append(deed, now_s=now_s)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        make_private(self.releases)
        with locked(self.releases):  # a lock of its own: signing takes the fleet's
            yield


def stage(course: Course) -> str:
    """How far a release may go now, in words."""
    rollout, waves = course.rollout, course.waves
    named = f" and {len(rollout.devices)} named" if rollout.devices else ""
    wave = f"wave {course.wave + 1} of {len(waves.percents)}, {rollout.percent:g} %{named}"
    return wave if rollout.state == "running" else f"{rollout.state} in {wave}"
