"""What came of the questions of `bench chaos`, read from what the programs have noted."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.stages import Origin

Noted = dict[str, object]
_TIMED = ("elapsed_ms",)  # a local answer that is given again measures it anew


@dataclass(frozen=True, slots=True)
class Account:
    """The books of one run."""

    delivered: int
    degraded: int  # of them, by the device itself although it wanted to ask
    duplicate_effects: int  # answers to a question that has another one already
    worked_twice: int  # answers of a worker's model to a question that had one
    counters: Counter[str]  # the agent's, over all its lives
    waits_s: list[float]  # from a question's file to its first answer, sorted


def settle(folder: Path, asked: dict[str, str], dropped_s: dict[str, float]) -> Account:
    """Compare what was asked, by name, with what was noted in `folder`."""
    effects: dict[str, list[tuple[float, Noted]]] = {}
    for line in lines(folder / "agent" / "effects.log"):
        at_s, _, noted = line.partition(" ")
        answer = json.loads(noted)
        effects.setdefault(answer["source"], []).append((float(at_s), answer))
    delivered = [name for name, text in asked.items() if is_answer(effects.get(name), text)]
    first = {name: effects[name][0] for name in delivered}
    return Account(
        delivered=len(delivered),
        degraded=sum(each["origin"] == Origin.DEGRADED for _, each in first.values()),
        duplicate_effects=sum(_others(given) for given in effects.values()),
        worked_twice=_repeats(folder),
        counters=_counters(folder / "agent"),
        waits_s=sorted(at_s - dropped_s[name] for name, (at_s, _) in first.items()),
    )


def is_answer(given: list[tuple[float, Noted]] | None, text: str) -> bool:
    """Whether a question has its answer, and no other."""
    return bool(given) and all(_is_its(answer, text) for _, answer in given or ())


def lines(path: Path) -> list[str]:
    """A log's lines, complete ones only."""
    if not path.exists():
        return []
    return path.read_text(encoding="utf-8").split("\n")[:-1]


def _is_its(answer: Noted, text: str) -> bool:
    if answer["origin"] == Origin.CLOUD:
        return str(answer["answer"]).startswith(f"cloud {text}, ")
    return answer["answer"] == f"local {text}"


def _others(given: list[tuple[float, Noted]]) -> int:
    meanings = {
        json.dumps({name: value for name, value in answer.items() if name not in _TIMED})
        for _, answer in given
    }
    return len(meanings) - 1


def _repeats(folder: Path) -> int:
    work = [line for log in sorted(folder.glob("worker-*/work.log")) for line in lines(log)]
    return len(work) - len(set(work))


def _counters(folder: Path) -> Counter[str]:
    return sum((Counter(each) for each in _lives(folder)), Counter())


def _lives(folder: Path) -> Iterator[dict[str, int]]:
    for path in folder.glob("counters.*"):
        if text := path.read_text(encoding="utf-8").strip():
            yield json.loads(text)
