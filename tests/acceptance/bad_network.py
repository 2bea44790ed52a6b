"""Questions over a bad wire between two network namespaces: `make netem`.

    python -m tests.acceptance.bad_network [NAME ...]

Prints a line of JSON for each kind of badness; exits with 1 if a question was lost.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from broker.fleet.mosquitto import running_broker
from firstline.bench.chaos_account import Account, settle
from firstline.bench.fleet import make_fleet
from firstline.bench.programs import Program
from tests.acceptance.bad_wire import INSIDE, NEAR, Badness, NotAllowedError, Wire, wire

QUESTIONS = 60
PATIENCE_S = 240.0
SEED = 1


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of badness."""

    badness: Badness
    cut_s: float = 0.0  # in the midst of it


KINDS = {
    "good": Kind(Badness()),
    "loss 10 %": Kind(Badness(loss=0.1, delay_s=0.02)),
    "loss 30 %": Kind(Badness(loss=0.3, delay_s=0.02)),
    "delay 300 ms": Kind(Badness(delay_s=0.3)),
    "reordering": Kind(Badness(delay_s=0.05, jitter_s=0.2)),
    "cut of 5 s": Kind(Badness(delay_s=0.02), cut_s=5.0),
    "cut of a minute": Kind(Badness(delay_s=0.02), cut_s=60.0),
    "all of it": Kind(Badness(loss=0.1, delay_s=0.3, jitter_s=0.2), cut_s=60.0),
}


@dataclass(frozen=True, slots=True)
class Far:
    """An agent on the other side of the wire."""

    folder: Path
    wire: Wire

    def ask(self, kind: Kind, questions: int = QUESTIONS) -> tuple[Account, float]:
        """Ask all, with the cut in the midst; return the books and how long it took, seconds."""
        started_s, self.wire.badness = time.monotonic(), kind.badness
        asked: dict[str, str] = {}
        dropped_s: dict[str, float] = {}
        for number in range(questions):
            name = f"q{number}-of-{questions}.txt"
            asked[name] = f"unsure {name}"
            begun = self.folder / "agent" / "inbox" / f".{name}"
            begun.write_text(asked[name], encoding="utf-8")
            dropped_s[name] = time.monotonic()
            begun.rename(begun.with_name(name))
            if number == questions // 2 and kind.cut_s:
                self.wire.cut()
                time.sleep(kind.cut_s)
                self.wire.badness = kind.badness
        account = settle(self.folder, asked, dropped_s)
        while account.delivered < questions and time.monotonic() - started_s < PATIENCE_S:
            time.sleep(0.1)
            account = settle(self.folder, asked, dropped_s)
        return account, time.monotonic() - started_s


@contextmanager
def far(folder: Path) -> Iterator[Far]:
    """A wire, a broker and a worker here, an agent there.

    Raises:
        NotAllowedError: this machine does not allow it.
    """
    with ExitStack() as last:
        laid = last.enter_context(wire(SEED))
        broker = last.enter_context(running_broker(folder / "broker", bind=NEAR))
        keys = make_fleet(folder / "fleet")
        for name, key in (("agent", keys.device), ("worker-1", keys.worker)):
            (folder / name).mkdir()
            (folder / name / "keys").symlink_to(key)
        (folder / "agent" / "inbox").mkdir()
        for name, module, more, inside in (
            ("agent", "chaos_agent", (), INSIDE),
            ("worker-1", "chaos_worker", ("0",), ()),
        ):
            where = (str(folder / name), f"{NEAR}:{broker.port}", *more)
            log = folder / f"{name}.log"
            program = Program(log, f"firstline.bench.{module}", *where, inside=inside)
            last.callback(program.kill)
            program.start()
        found = Far(folder, laid)
        found.ask(KINDS["good"], 1)  # then all are up
        yield found


def told(name: str, account: Account, took_s: float) -> dict[str, object]:
    """One line of the table."""
    return {
        "network": name,
        "questions": QUESTIONS,
        "lost": QUESTIONS - account.delivered,
        "two": account.duplicate_effects,
        "degraded": account.degraded,
        "p50_s": round(account.waits_s[len(account.waits_s) // 2], 2) if account.waits_s else None,
        "most_s": round(account.waits_s[-1], 2) if account.waits_s else None,
        "took_s": round(took_s, 1),
    }


def main(names: list[str], say: Callable[[str], None]) -> int:
    """Go through the kinds."""
    bad = 0
    for name in names or [*KINDS]:
        with tempfile.TemporaryDirectory(dir="/var/tmp") as folder, far(Path(folder)) as here:
            line = told(name, *here.ask(KINDS[name]))
        bad += bool(line["lost"] or line["two"])
        say(json.dumps(line))
    return 1 if bad else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:], lambda line: print(line, flush=True)))  # noqa: T201
    except NotAllowedError as error:
        sys.exit(f"skipped: {error}")
