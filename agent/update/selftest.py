"""A new package proves itself in an engine child of its own, before it gets anybody's question.

    Golden --cases--> new engine child --answers, times, memory--> Proof | SelfTestError

The child that passes is the one that goes on to serve. Whatever the weights do to it, it is only a
child: it may crash, hang, or want all memory, and is then ended.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from threading import Event, Thread
from typing import Final

from agent.core.mask import mask
from agent.core.policy import FieldRule, MaskRules
from agent.models.engine import Engine
from agent.models.model import ModelError
from agent.stages import Clean
from broker.package.golden import Case, Golden
from broker.package.speed import Speed

_MB: Final = 1_000_000
_LOOK_S: Final = 0.02  # between two looks at the child's memory
_MORE_RAM: Final = 1.5  # than where it was released: other pages, other libraries
_SPARE_MB: Final = 24
_MORE_TIME: Final = 5.0  # than predicted: the board works meanwhile
_LEAST_MS: Final = 50.0  # below this nobody waits
_RULES: Final = MaskRules(default=FieldRule.KEEP)


class SelfTestError(Exception):
    """A package did not pass; the message says why."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a package must keep to while it is tested."""

    most_mb: int  # of the child's memory
    most_ms: float  # median of an answer
    whole_s: float  # for all of it

    @classmethod
    def of(cls, golden: Golden, here: Speed, *, taken_mb: int, whole_s: float) -> "Limits":
        """By what was measured where it was released; else `taken_mb`, and any time."""
        ram_mb = golden.ram_mb or taken_mb
        most_ms = (
            max(_LEAST_MS, _MORE_TIME * golden.expected_ms(here)) if golden.ms else whole_s * 1e3
        )
        return cls(int(ram_mb * _MORE_RAM) + _SPARE_MB, most_ms, whole_s)


@dataclass(frozen=True, slots=True)
class Proof:
    """What a package showed."""

    answered: int
    agreed: int
    ms: float  # median of an answer
    ram_mb: int  # the most that the child had


def prove(engine: Engine, golden: Golden, limits: Limits) -> Proof:
    """Ask a package what it was asked where it was released.

    Raises:
        SelfTestError: it does not load, or crashes, hangs, is too slow or too large, or answers
            otherwise. The child has been ended.
    """
    weight = _Weight()
    try:
        with _weighed(engine, limits.most_mb, weight):
            return _proved(engine, golden, limits, weight)
    except (ModelError, OSError, SelfTestError) as error:
        engine.stop()
        if weight.most_mb > limits.most_mb:
            reason = f"it takes more than {limits.most_mb} MB of memory"
            raise SelfTestError(reason) from error
        raise SelfTestError(str(error)) from error


def probe(engine: Engine, case: Case) -> None:
    """Ask one question; any answer will do.

    Raises:
        ModelError: there is none.
    """
    engine.draft(mask(Clean(case.payload), _RULES, lambda _: ()).masked, case.domain)


def _proved(engine: Engine, golden: Golden, limits: Limits, weight: "_Weight") -> Proof:
    ends_s = time.monotonic() + limits.whole_s
    engine.load()
    times_ms, agreed = [], 0
    for case in golden.cases:
        if time.monotonic() > ends_s:
            raise SelfTestError(f"its self-test took more than {limits.whole_s:g} s")
        draft = engine.draft(mask(Clean(case.payload), _RULES, lambda _: ()).masked, case.domain)
        times_ms.append(draft.elapsed_ms)
        agreed += case.agrees(draft.answer)
    if agreed < golden.agree * len(golden.cases):
        others = len(golden.cases) - agreed
        raise SelfTestError(
            f"it answers {others} of {len(golden.cases)} golden questions otherwise than where it "
            "was released"
        )
    typical_ms = median(times_ms)
    if typical_ms > limits.most_ms:
        raise SelfTestError(
            f"an answer takes {typical_ms:.0f} ms; {limits.most_ms:.0f} would do on this board"
        )
    if engine.starts > 1:
        raise SelfTestError(f"its engine crashed {engine.starts - 1} times")
    weight.look(engine.pid)
    if weight.most_mb > limits.most_mb:
        raise SelfTestError("it takes too much memory")
    return Proof(len(golden.cases), agreed, typical_ms, weight.most_mb)


@dataclass(slots=True)
class _Weight:
    most_mb: int = 0
    ended: Event = field(default_factory=Event)

    def look(self, pid: int | None) -> None:
        if pid is not None:
            self.most_mb = max(self.most_mb, resident_mb(pid))

    def watch(self, engine: Engine, most_mb: int) -> None:
        while not self.ended.wait(_LOOK_S):
            pid = engine.pid
            self.look(pid)
            if self.most_mb > most_mb:
                engine.interrupt()


@contextmanager
def _weighed(engine: Engine, most_mb: int, weight: _Weight) -> Iterator[None]:
    """Look at the child's memory all the time, and end it when it takes too much."""
    watcher = Thread(target=weight.watch, args=(engine, most_mb), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        weight.ended.set()
        watcher.join()


def resident_mb(pid: int) -> int:
    """What a process has in memory, MB; 0 if it has gone."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") // _MB
