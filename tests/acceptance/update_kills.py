"""Ends a board's updater at durable steps of download and assembly, and has it go on.

    python -m tests.acceptance.update_kills FOLDER STRIDE

    release --> updater dies at its step 1, 1 + STRIDE, ... --> the agent starts another one --> new

Every second time its agent dies with it. Meanwhile the board is asked without a pause. A release of
whole blocks comes first, then one that is a patch of it. `make crashes` goes through all steps.
"""

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from random import Random

from broker.fleet.mosquitto import LOOPBACK
from broker.fleet.releases.plan import Head, plan
from broker.fleet.releases.stock import Stock
from broker.wire.release import BLOCK_BYTES, Needs, PackagePlan
from firstline.bench.tcp_proxy import TcpProxy
from tests.acceptance.doomed_updater import Doom, End
from tests.updates import PACKAGE, Site, site, version_of, wait_for

BULK_BYTES = 12 * BLOCK_BYTES + 7
_CHANGED_BYTES = 4096
_LIVES = End(0)
_DIED = "the updater: it ended with code -9"


@dataclass(slots=True)
class Found:
    """What came of one release."""

    kills: Counter[str] = field(default_factory=Counter)  # by the step
    with_agent: int = 0
    asked: int = 0
    again: int = 0  # blocks that were written more than once
    lost: int = 0  # answers of no model, or of the old one after the new one
    brought_bytes: int = 0  # over the link

    @property
    def killed(self) -> int:
        """How many updaters."""
        return self.kills.total()


@dataclass(slots=True)
class Ground:
    """Where it happens."""

    site: Site
    doom: Doom
    proxy: TcpProxy
    plans: list[PackagePlan] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)
    deaths: int = 0  # of updaters alone

    def next_release(self) -> PackagePlan:
        """A package whose bulk is new; each later one differs in little from the first."""
        number = len(self.plans) + 1
        folder = version_of(self.site.folder, f"1.0.{number}")
        bulk = bytearray(Random(1).randbytes(BULK_BYTES))  # noqa: S311 - no secret
        bulk[: _CHANGED_BYTES * (number - 1)] = bytes(_CHANGED_BYTES * (number - 1))
        (folder / "README.md").write_bytes(bulk)
        head = Head(PACKAGE, f"1.0.{number}", "int8", Needs(engine="onnxruntime", ram_mb=9))
        stock = Stock(self.site.folder / "fleet")
        made = plan(stock, folder, head, bases=self.folders, told=lambda _: None)
        self.plans.append(made)
        self.folders.append(folder)
        return made

    def release(self, ends: Iterator[End]) -> Found:
        """Release one; its updaters end so, one after the other, as long as one gets there."""
        new, before = len(self.plans) + 1, len(self.doom.log())
        made, brought_bytes = self.next_release(), self.proxy.brought_bytes
        course = _Course(self.doom, ends)
        course.order()
        self.site.release(made, number=new, watch_s=0.2)
        found, newest = Found(), new - 1
        while not self._proven(new):
            found.asked += 1
            model = self._answer(course)
            found.lost += model not in (f"{PACKAGE} 1.0.{newest}", f"{PACKAGE} 1.0.{new}")
            newest = new if model == f"{PACKAGE} 1.0.{new}" else newest
        found.kills, found.with_agent = course.kills, course.with_agent
        found.again = sum(n - 1 for n in Counter(self.doom.log()[before:]).values())
        found.brought_bytes = self.proxy.brought_bytes - brought_bytes
        return found

    def _proven(self, release: int) -> bool:
        current = self.site.slots.current
        return current is not None and current.release == release

    def _answer(self, course: "_Course") -> str:
        """The model that answers a question, which may find no agent at first."""
        for path in (self.site.board / "answers").glob("[!.]*.json"):
            path.unlink()  # else each look reads more of them
        answer = self.site.asking()

        def answered() -> bool:
            if self.doom.fell():
                self._go_on(anew=course.next())
            return bool(answer())

        wait_for(answered)
        said = answer()
        return str(said["model"]) if said["origin"] == "device" else ""

    def _go_on(self, *, anew: bool) -> None:
        """Without the pause after an updater that failed, which grows with each."""
        if anew:
            self.site.agent.kill()
            self.site.agent.start()
        else:
            self.deaths += 1
            wait_for(lambda: self.site.said().count(_DIED) >= self.deaths)  # agents that lived on
            with (self.site.board / "agent.toml").open("a", encoding="utf-8") as settings:
                settings.write("# again\n")


@dataclass(slots=True)
class _Course:
    """Who ends when, of one release."""

    doom: Doom
    ends: Iterator[End]
    end: End = _LIVES
    kills: Counter[str] = field(default_factory=Counter)
    with_agent: int = 0

    def order(self) -> None:
        """Order the next end, if there is one."""
        self.end = next(self.ends, _LIVES)
        self.doom.order(self.end)

    def next(self) -> bool:
        """One has ended: order the next end; return whether an agent ended too."""
        both = self.end.both
        self.kills[self.doom.fell()] += 1
        self.with_agent += both
        self.order()
        return both


@contextmanager
def ground(folder: Path) -> Iterator[Ground]:
    """A board that answers, behind a link whose bytes are counted."""
    doom = Doom(folder / "doom")
    with ExitStack() as last:
        proxies: list[TcpProxy] = []

        def way(port: int) -> int:
            proxies.append(last.enter_context(TcpProxy((LOOPBACK, port))))
            return proxies[0].port

        last.enter_context(_environment(doom.environment()))
        (folder / "site").mkdir()
        here = last.enter_context(site(folder / "site", way=way))
        here.runs("1.0.0")
        yield Ground(here, doom, proxies[0])


@contextmanager
def _environment(more: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(more)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def steps(stride: int) -> Iterator[End]:
    """One step of each life, each time a later one; every second time the agent ends with it."""
    return (End(1 + each * stride, both=each % 2 == 1) for each in count())


def main() -> None:
    """Go through the steps, of whole blocks and of a patch; 1 if anything was lost."""
    folder, stride = Path(sys.argv[1]), int(sys.argv[2])
    with ground(folder) as here:
        for kind in ("blocks", "patch"):
            found = here.release(steps(stride))
            told = {name: getattr(found, name) for name in Found.__slots__}
            print(json.dumps({"release": kind, **told}), flush=True)  # noqa: T201
            if found.lost or found.again:
                sys.exit(1)


if __name__ == "__main__":
    main()
