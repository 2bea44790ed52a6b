"""One look at the rollouts of a board's groups: takes what is meant for it, or says why not.

for each package: which rollout --> may it --> which variant fits --> on the disk --> ready
"""

import shutil
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

from agent.board import Metered, Power, sense
from agent.board import Told as BoardTold
from agent.update.assemble import Assembly, OnBoard
from agent.update.blocks import BlockStore
from agent.update.board import Board, look, measured
from agent.update.book import Bounds, Installed
from agent.update.choose import Misfit, choose
from agent.update.download import Download
from agent.update.errors import ContentError, NoSpaceError, RefusedError
from agent.update.line import Heard
from agent.update.pipe_line import PipeLine
from agent.update.slots import PACKAGES
from agent.update.trust import Trust
from agent.update.turn import Go, Have, Hold, Moment, Over, Picked, Turn, pick, trial, turn
from agent.update.window import Window
from agent.update.words import Begin, Ready, Running, Stop, Told
from broker.wire.credentials import DeviceCredentials
from broker.wire.parts import split
from broker.wire.release import Choice, PackagePlan, Rollout
from broker.wire.topics import release_metadata
from broker.wire.update_report import State

_LOOK_S: Final = 10.0  # between two looks at power and link
_HELD_S: Final = 300.0  # until the rules are asked again: hours, power, link
_IDLE_S: Final = 6 * 3600.0  # whatever is published is heard at once, so this is only for safety
_FULL_S: Final = 1800.0  # until a full disk is tried again


class Follower:
    """Follows rollouts. Use once.

    Args:
        line: To the broker and the agent.
        trust: Refreshed, so that what was looked at is kept.
        begin: What the board runs.
        own: Who we are.
        now_s: Unix time at least, as what is signed tells it: see `Date`.
    """

    def __init__(
        self,
        *,
        line: PipeLine,
        trust: Trust,
        begin: Begin,
        own: DeviceCredentials,
        now_s: Callable[[], float],
    ) -> None:
        self._line, self._trust, self._begin, self._own = line, trust, begin, own
        self._folder = Path(begin.state) / "updates"
        self._store = BlockStore(self._folder / "blocks")
        self._timestamp = release_metadata(own.fleet, "timestamp.json")
        self._told_board = BoardTold(
            power=Power(begin.power),
            metered=Metered(begin.metered),
            metered_file=Path(begin.metered_file),
        )
        self._now_s = now_s
        self._moment, self._sensed_s = self._now(), time.monotonic()
        self._looked_at = split((self._folder / "tuf" / "timestamp.json").read_bytes())[0]
        self._again_s = _IDLE_S
        self.counters: Counter[str] = Counter()  # blocks, files and patches

    def follow_all(self) -> float:
        """Do what is to be done; return the seconds after which to look again.

        Raises:
            StoppedError: something new was published, or a rule holds us up now: look again.
            UpdateError: see `Trust`.
            LineClosedError: there is no agent any more.
            OSError: the disk failed.
        """
        found = [(running, self._offers(running)) for running in self._begin.packages]
        self._prune(
            {digest for running, offers in found for digest in self._wanted(running, offers)}
        )
        for running, offers in found:
            self._follow(running, offers)
        return self._again_s

    def _offers(self, running: Running) -> dict[str, Rollout]:
        offers = {}
        for group in self._begin.groups:
            if (rollout := self._trust.rollout(group, running.package)) is not None:
                offers[group] = rollout
                self._maybe_stop(running, rollout)
        return offers

    def _wanted(self, running: Running, offers: dict[str, Rollout]) -> set[str]:
        """What the agent may not have taken from us yet, if we were ended before it could."""
        coming = [each for each in offers.values() if each.release > running.taken]
        open_ = [each for each in coming if not isinstance(turn(each, self._moment), Over)]
        return {choice.sha256 for each in open_ for choice in each.choices} - self._begin.bad.keys()

    def _follow(self, running: Running, offers: dict[str, Rollout]) -> None:
        picked = pick(offers, self._moment, taken=running.taken)
        if picked is None:
            self._line.tell("told", Told(package=running.package, state="idle"))
            return
        match picked.turn:
            case Have():
                pass  # the agent tells how it goes
            case Hold(reason):
                self._again_s = min(self._again_s, _HELD_S)
                self._tell(running, picked, "waiting", reason=reason)
            case Over(reason):
                self._store.keep_only(frozenset())
                self._tell(running, picked, "stopped", reason=reason)
            case Go():
                self._take(running, picked)

    def _maybe_stop(self, running: Running, rollout: Rollout) -> None:
        verdict = trial(rollout)
        if isinstance(verdict, Over):
            words = Stop(package=running.package, release=rollout.release, reason=verdict.reason)
            self._line.tell("stop", words)

    def _take(self, running: Running, picked: Picked) -> None:
        plans, reasons = self._plans(running, picked)
        found = choose([plan for _, plan in plans], self._board(running))
        if isinstance(found, Misfit):
            digests = (each.sha256 for each in picked.rollout.choices)
            tried = next((each for each in digests if each in self._begin.bad), "")
            why = "; ".join((*reasons, *found.reasons)) or "it names no package"
            self._tell(running, picked, "failed", digest=tried, reason=why)
            return
        choice, plan = plans[found.place]
        self._tell(running, picked, "downloading", digest=choice.sha256)
        assembly = self._assembly(running, picked, choice)
        try:
            assembly.assemble(plan, choice.sha256)
        except (NoSpaceError, ContentError) as error:
            if isinstance(error, NoSpaceError):
                self._again_s = min(self._again_s, _FULL_S)
            self._tell(running, picked, "failed", digest=choice.sha256, reason=str(error))
            return
        finally:
            self.counters.update(assembly.counters)
        installed = Installed(
            package=plan.package,
            digest=choice.sha256,
            version=plan.version,
            variant=plan.variant,
            group=picked.group,
            release=picked.rollout.release,
        )
        bounds = Bounds.of(picked.rollout)
        ready = Ready(installed=installed, bounds=bounds, ram_mb=plan.needs.ram_mb)
        self._line.tell("ready", ready)

    def _plans(
        self, running: Running, picked: Picked
    ) -> tuple[list[tuple[Choice, PackagePlan]], list[str]]:
        """What the rollout chooses among, the best first, without what this board takes no more."""
        plans, reasons = [], []
        for choice in picked.rollout.choices:
            if (bad := self._begin.bad.get(choice.sha256)) is not None:
                reasons.append(bad)
                continue
            try:
                plan = self._trust.plan(choice, group=picked.group, package=running.package)
            except RefusedError as error:
                reasons.append(str(error))
                continue
            plans.append((choice, plan))
        return plans, reasons

    def _assembly(self, running: Running, picked: Picked, choice: Choice) -> Assembly:
        def stop(heard: Heard | None) -> bool:
            return self._is_news(heard) or not isinstance(self._turn(picked.rollout), Go)

        def progress(done: int, of: int) -> None:
            share = done / of if of else 1.0
            self._tell(running, picked, "downloading", digest=choice.sha256, share=share)

        window = Window(line=self._line, fleet=self._own.fleet, device=self._own.device, stop=stop)
        here = [Path(each) for each in running.folders]
        return Assembly(
            folder=self._folder / PACKAGES,
            store=self._store,
            download=Download(window=window, store=self._store, progress=progress),
            board=OnBoard([*here, *(self._folder / PACKAGES / each for each in self._begin.keep)]),
        )

    def _is_news(self, heard: Heard | None) -> bool:
        """Whether another timestamp was published since we looked."""
        if heard is None or heard.topic != self._timestamp or not heard.payload:
            return False
        return heard.payload != self._looked_at

    def _turn(self, rollout: Rollout) -> Turn:
        if time.monotonic() >= self._sensed_s + _LOOK_S:
            self._sensed_s, self._moment = time.monotonic(), self._now()
        return turn(rollout, self._moment)

    def _now(self) -> Moment:
        conditions = sense(self._told_board)
        # The hour by our own clock: the time at least would stand still where that is slow.
        local = time.localtime(time.time() + self._begin.offset_s)
        return Moment(
            device=self._own.device,
            now_s=self._now_s(),
            minute=60 * local.tm_hour + local.tm_min,
            on_battery=conditions.on_battery,
            metered=conditions.metered,
        )

    def _board(self, running: Running) -> Board:
        return look(self._folder, measured(self._folder), freed_mb=running.freed_mb)

    def _tell(  # noqa: PLR0913 - what differs, by name
        self,
        running: Running,
        picked: Picked,
        state: State,
        *,
        digest: str = "",
        share: float = 0.0,
        reason: str = "",
    ) -> None:
        told = Told(
            package=running.package,
            state=state,
            group=picked.group,
            release=picked.rollout.release,
            digest=digest,
            share=min(1.0, share),
            reason=reason,
        )
        self._line.tell("told", told)

    def _prune(self, wanted: set[str]) -> None:
        """Packages that nobody goes back to, or on to, make room; half-made ones go on."""
        folder = self._folder / PACKAGES
        for path in folder.iterdir() if folder.is_dir() else ():
            if not path.name.startswith(".") and path.name not in {*self._begin.keep, *wanted}:
                shutil.rmtree(path, ignore_errors=True)
