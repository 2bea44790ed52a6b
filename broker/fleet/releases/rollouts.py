"""What the operator does with a release: begin, pause, resume, abort, and let its waves go on.

    order -> ledger: noted, stored, signed -> published by who is connected

Each step holds the lock of the releases, and starts from what is on disk then: of two releases at
once one is the later, and of two processes that see a wave through one begins the next.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from msgspec import structs

from broker.fleet.errors import RolloutStateError
from broker.fleet.releases.audit import What
from broker.fleet.releases.courses import Course
from broker.fleet.releases.ledger import ITSELF, Ledger
from broker.fleet.releases.standings import boards_of
from broker.fleet.releases.waves import Finish, Halt, Next, Wait, Waves, advise
from broker.fleet.root import read_roster
from broker.wire.credentials import ROSTER
from broker.wire.roster import Roster
from broker.wire.update_report import UpdateReport

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

    Raises:
        NotAFleetError: there is no fleet.
    """

    def __init__(self, fleet: Path, *, who: str) -> None:
        self.fleet = fleet
        self.ledger = Ledger(fleet, who=who)
        self.repository, self.courses = self.ledger.repository, self.ledger.courses
        self._roster, self._changed_ns = read_roster(fleet), 0

    @property
    def roster(self) -> Roster:
        """The fleet's devices; read and verified again when the file has changed.

        Raises:
            NotAFleetError: it is missing or altered.
            OSError: it cannot be looked at.
        """
        changed_ns = (self.fleet / ROSTER).stat().st_mtime_ns
        if changed_ns != self._changed_ns:
            self._roster, self._changed_ns = read_roster(self.fleet), changed_ns
        return self._roster

    def begin(self, draft: Course, *, now_s: float) -> Course:
        """Release: the first wave may take it. Numbers, percentage and dates are set here.

        Raises:
            FleetError: nobody vouches for what it chooses, or the disk refused.
        """
        with self.ledger.locked():
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
            return self.ledger.put(new, before, "release", words, now_s=now_s)

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

    def resume(
        self, course: Course, *, success: float | None, percent: float | None, now_s: float
    ) -> Course:
        """Let a paused release go on, with another bar, or to more boards, if that is said.

        Raises:
            RolloutStateError: it is aborted.
            FleetError: it cannot be signed, or the disk refused.
        """
        waves, wave = course.waves, course.wave
        if success is not None:
            waves = structs.replace(waves, success=success)
        if percent is not None:
            done = waves.percents[: wave + 1]
            waves, wave = structs.replace(waves, percents=(*done, percent)), wave + 1
        return self._change(course, "resume", "", waves=waves, wave=wave, now_s=now_s)

    def go_on(self, reports: Mapping[str, UpdateReport], *, now_s: float) -> list[str]:
        """Let waves begin, finish and halt where it is time; what happened, in words.

        Raises:
            FleetError: a file is damaged, a change cannot be signed, or the disk refused.
        """
        self.ledger.settle(now_s=now_s)
        happened = []
        for course in self.courses.all():
            if course.moves and not isinstance(self.advice(course, reports, now_s=now_s), Wait):
                with self.ledger.locked():
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
            roster=self.roster,
            reports=reports,
        )
        return advise(
            course.waves,
            course.wave,
            since_s=course.wave_began_s,
            standings=[board.standing for board in boards if board.turn],
            now_s=now_s,
        )

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
                self.ledger.put(new, course, "wave", stage(new), now_s=now_s)
                return [f"{new.name}: {stage(new)}"]
            case Halt(why):
                rollout = structs.replace(course.rollout, state="paused")
                new = structs.replace(course, rollout=rollout, halted=True, why=why)
                self.ledger.put(new, course, "halt", why, now_s=now_s)
                return [f"{new.name}: halted, {why}"]
            case Finish(words):
                self.ledger.note(course, "finish", words, ITSELF, now_s=now_s)
                self.courses.put(structs.replace(course, finished=True))
                return [f"{course.name}: finished, {words}"]
            case Wait():
                return []

    def _change(  # noqa: PLR0913 - what differs from one change to the next
        self,
        seen: Course,
        what: What,
        why: str,
        *,
        waves: Waves | None = None,
        wave: int | None = None,
        now_s: float,
    ) -> Course:
        state = _STATES[what]
        with self.ledger.locked():
            course = self.courses.find(seen.group, seen.package)
            if course is None or course.rollout.release != seen.rollout.release:
                raise RolloutStateError(f"{seen.name} was replaced meanwhile")
            if course.rollout.state == "aborted" and state != "aborted":
                raise RolloutStateError(f"{course.name} is aborted for ever: release it again")
            waves, wave = waves or course.waves, course.wave if wave is None else wave
            if (course.rollout.state, course.waves, course.wave) == (state, waves, wave):
                return course
            again = what == "resume"
            percent = waves.percents[wave]
            new = structs.replace(
                course,
                rollout=structs.replace(course.rollout, state=state, percent=percent),
                waves=waves,
                wave=wave,
                wave_began_s=now_s if again else course.wave_began_s,
                finished=course.finished and not again,
                halted=course.halted and not again,
                why=why,
            )
            words = f"{stage(new)}, success {waves.success:g}" if again else why
            return self.ledger.put(new, course, what, words, now_s=now_s)


def stage(course: Course) -> str:
    """How far a release may go now, in words."""
    rollout, waves = course.rollout, course.waves
    named = f" and {len(rollout.devices)} named" if rollout.devices else ""
    wave = f"wave {course.wave + 1} of {len(waves.percents)}, {rollout.percent:g} %{named}"
    return wave if rollout.state == "running" else f"{rollout.state} in {wave}"
