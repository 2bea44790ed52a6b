"""Ends a program before each of its durable steps, starts it again, and settles the books.

    python -m tests.acceptance.crash_points agent|worker crash|power-cut FOLDER [STRIDE]

    three questions --> child: fork, serve, die before step n --> child: serve --> each one answer?

Prints a line of JSON for each step. The process has no threads, so that it can fork: a child needs
no start-up of its own. `make crashes` goes through all steps of both programs.
"""

import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from broker.fleet.mosquitto import LOOPBACK
from firstline.bench import chaos_agent, chaos_worker
from firstline.bench.chaos_account import lines, settle
from firstline.bench.fleet import make_fleet
from firstline.bench.programs import BrokerProgram, Program
from tests.acceptance.durable_steps import Crash, PowerCut, watch

RESEND_S = 0.05
PATIENCE_S = 60.0
POLL_S = 0.005
STATE = {"agent": "outbox.db", "worker-1": "claims.db"}


@dataclass(slots=True)
class Ground:
    """Where it happens."""

    folder: Path
    port: int
    victim: str  # "agent" or "worker-1"
    cuts_power: bool
    asked: dict[str, str] = field(default_factory=dict)
    dropped_s: dict[str, float] = field(default_factory=dict)

    def serve(self) -> None:
        """Be the victim."""
        if self.victim == "agent":
            chaos_agent.serve(self.folder / "agent", (LOOPBACK, self.port), RESEND_S)
        else:
            chaos_worker.serve(self.folder / self.victim, (LOOPBACK, self.port), 0.0)

    def end_at(self, number: int) -> Crash | PowerCut:
        """What happens at a step."""
        note = self.folder / "note"
        note.unlink(missing_ok=True)
        if not self.cuts_power:
            return Crash(number, note)
        copies = self.folder / "copies"
        copies.mkdir(exist_ok=True)
        return PowerCut(number, note, self.folder / self.victim / STATE[self.victim], copies)

    def drop(self, number: int) -> None:
        """Ask three questions: a sure one, and two of which one belongs to a conversation."""
        for name, start in (("a", "sure"), ("b", "unsure"), ("talk~c", "unsure")):
            file = f"{name}{number:04}.txt"
            self.asked[file] = f"{start} {name}{number:04} of user{number}@example.org"
            self.dropped_s[file] = time.monotonic()
            begun = self.folder / "agent" / "inbox" / f".{file}"
            begun.write_text(self.asked[file], encoding="utf-8")
            os.utime(begun, (0, 0))  # a start passes over what somebody may still be writing
            begun.rename(begun.with_name(file))

    def is_done(self) -> bool:
        """Whether all are answered and put away."""
        answers = {line.split('"source": "')[1].split('"')[0] for line in self._effects()}
        return answers >= self.asked.keys() and not any(self._inbox.iterdir())

    @property
    def _inbox(self) -> Path:
        return self.folder / "agent" / "inbox"

    def _effects(self) -> list[str]:
        return lines(self.folder / "agent" / "effects.log")


def main() -> None:
    """Go through the steps."""
    victim, how, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    stride = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    with ground(folder, victim if victim == "agent" else "worker-1", how) as here:
        number = 1
        while (what := one(here, number)) is not None:
            account = settle(folder, here.asked, here.dropped_s)
            lost, two = len(here.asked) - account.delivered, account.duplicate_effects
            found = {"victim": victim, "by": how, "step": number, "before": what[:60]}
            print(json.dumps({**found, "lost": lost, "two": two}), flush=True)  # noqa: T201
            if lost or two:
                sys.exit(1)
            number += stride


@contextmanager
def ground(folder: Path, victim: str, how: str) -> Iterator[Ground]:
    """A broker, and whoever is not to die."""
    keys = make_fleet(folder / "fleet")
    for name, key in (("agent", keys.device), ("worker-1", keys.worker), ("worker-2", keys.worker)):
        (folder / name).mkdir()
        (folder / name / "keys").symlink_to(key)
    (folder / "agent" / "inbox").mkdir()
    with ExitStack() as last:
        broker = BrokerProgram(folder / "broker")
        last.callback(broker.stop)
        broker.start()
        # Two workers with a store each: one that is asked again may answer in other words.
        others = ("agent",) if victim != "agent" else ("worker-1", "worker-2")
        for name in others:
            more = () if name == "agent" else ("0",)
            module = f"firstline.bench.chaos_{name.partition('-')[0]}"
            log, own = folder / f"{name}.log", str(folder / name)
            other = Program(log, module, own, f"{LOOPBACK}:{broker.port}", *more)
            last.callback(other.kill)
            other.start()
        yield Ground(folder, broker.port, victim, how == "power-cut")


def one(here: Ground, number: int) -> str | None:
    """End the victim at one step; return what that was, or None if there are fewer."""
    end = here.end_at(number)
    here.drop(number)
    child = forked(here, lambda: watch(end.step, end.syncing))
    if not ended(here, child):
        os.kill(child, signal.SIGKILL if here.cuts_power and end.note.exists() else signal.SIGTERM)
        os.waitpid(child, 0)
    if not end.note.exists():
        return None
    if isinstance(end, PowerCut):
        end.restore()
    clean = forked(here, lambda: None)
    assert not ended(here, clean), "it ended by itself"
    os.kill(clean, signal.SIGTERM)
    os.waitpid(clean, 0)
    return end.note.read_text(encoding="utf-8")


def forked(here: Ground, prepare: Callable[[], None]) -> int:
    """Start a victim."""
    child = os.fork()
    if child == 0:
        try:
            log = os.open(here.folder / "victim.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            os.dup2(log, sys.stderr.fileno())
            prepare()
            here.serve()
        except BaseException:  # noqa: BLE001 - a child must not go on as its parent
            traceback.print_exc()
        os._exit(0)
    return child


def ended(here: Ground, child: int) -> bool:
    """Wait until a victim has ended, or all is done, or time is up."""
    give_up_s = time.monotonic() + PATIENCE_S
    while not here.is_done() and time.monotonic() < give_up_s:
        if os.waitpid(child, os.WNOHANG)[0]:
            return True
        time.sleep(POLL_S)
    return False


if __name__ == "__main__":
    main()
