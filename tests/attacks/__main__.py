"""Carry out every attack and print what happened.

    python -m tests.attacks [--json] [PART OF A NAME ...]

Exit code 1 if an attack was accepted: somebody was fooled, or nobody counted it.
"""

import json
import logging
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from tests.attacks.attack import Row, Verdict, carry_out, doubled
from tests.attacks.stage import attack_stage
from tests.attacks.table import ATTACKS
from tests.attacks.updates.attack import carry_out as carry_out_update
from tests.attacks.updates.scene import update_stage
from tests.attacks.updates.table import UPDATE_ATTACKS
from tests.releases import MEMORY

_Row = TypeVar("_Row", bound=Row)


def main(words: list[str]) -> int:
    """Attack."""
    as_json = "--json" in words
    parts = [word for word in words if word != "--json"]
    logging.disable()  # each attack is told below
    verdicts: list[Verdict] = []
    twice: list[str] = []
    for verdict in _verdicts(parts, twice):
        verdicts.append(verdict)
        if not as_json:
            sys.stdout.write(_line(len(verdicts), verdict))
            sys.stdout.flush()
    accepted = sum(bool(verdict.failed) for verdict in verdicts) + len(twice)
    sys.stdout.write(_last(verdicts, accepted, twice, as_json=as_json))
    return 1 if accepted or not verdicts else 0


def _verdicts(parts: list[str], twice: list[str]) -> Iterator[Verdict]:
    """What came of each attack whose name has one of these parts; of all, if there are none."""
    if chosen := _named(ATTACKS, parts):
        with tempfile.TemporaryDirectory() as folder, attack_stage(Path(folder)) as stage:
            yield from (carry_out(stage, attack) for attack in chosen)
            twice += doubled(stage)
    if on_updates := _named(UPDATE_ATTACKS, parts):
        with tempfile.TemporaryDirectory(dir=MEMORY) as folder, update_stage(Path(folder)) as board:
            yield from (carry_out_update(board, attack) for attack in on_updates)


def _named(attacks: Sequence[_Row], parts: list[str]) -> list[_Row]:
    return [each for each in attacks if not parts or any(part in each.name for part in parts)]


def _line(number: int, verdict: Verdict) -> str:
    attack = verdict.attack
    happened = f"ACCEPTED: {verdict.failed}" if verdict.failed else verdict.happened
    return f"{number:3}  {attack.name:36.36}  {attack.tried:56.56}  {happened}\n"


def _last(verdicts: list[Verdict], accepted: int, twice: list[str], *, as_json: bool) -> str:
    if not as_json:
        more = f" ({', '.join(twice)} twice)" if twice else ""
        return f"{len(verdicts)} attacks, {accepted} accepted{more}\n"
    rows = [
        {
            "name": verdict.attack.name,
            "tried": verdict.attack.tried,
            "happened": verdict.happened,
            "accepted": verdict.failed,
        }
        for verdict in verdicts
    ]
    told = {"attacks": len(verdicts), "accepted": accepted, "twice": twice, "table": rows}
    return json.dumps(told, indent=2) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
