"""Carry out every attack and print what happened.

    python -m tests.attacks [--json] [PART OF A NAME ...]

Exit code 1 if an attack was accepted: somebody was fooled, or nobody counted it.
"""

import json
import logging
import sys
import tempfile
from pathlib import Path

from tests.attacks.attack import Verdict, carry_out, doubled
from tests.attacks.stage import attack_stage
from tests.attacks.table import ATTACKS


def main(words: list[str]) -> int:
    """Attack."""
    as_json = "--json" in words
    parts = [word for word in words if word != "--json"]
    chosen = [each for each in ATTACKS if not parts or any(part in each.name for part in parts)]
    logging.disable()  # each attack is told below
    verdicts: list[Verdict] = []
    with tempfile.TemporaryDirectory() as folder, attack_stage(Path(folder)) as stage:
        for number, attack in enumerate(chosen, start=1):
            verdicts.append(carry_out(stage, attack))
            if not as_json:
                sys.stdout.write(_line(number, verdicts[-1]))
                sys.stdout.flush()
        twice = doubled(stage)
    accepted = sum(bool(verdict.failed) for verdict in verdicts) + len(twice)
    sys.stdout.write(_last(verdicts, accepted, twice, as_json=as_json))
    return 1 if accepted or not verdicts else 0


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
