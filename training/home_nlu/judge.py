"""Asks a package through the engine that runs it, by its grammar, and keeps the score.

accuracy          share of answers that are right as a whole
intent_accuracy   share of right intents
surest_...        the same of the 80 % with the highest score
slot_f1           micro-averaged over (slot, exact value) pairs, as conlleval counts phrases
"""

import json
import math
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broker.package.fit import Scored
from broker.package.model import PackageModel
from broker.wire.payload import Text
from training.home_nlu.frames import Frame

_SURE = 0.8  # share


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model made of one utterance."""

    text: str
    score: float
    ms: float
    intent: str  # empty where the answer was cut short
    slots: Counter[tuple[str, str]]


def answered(model: PackageModel, frames: Sequence[Frame]) -> list[Answer]:
    """Answer every frame's utterance."""
    return [_answered(model, frame) for frame in frames]


def _answered(model: PackageModel, frame: Frame) -> Answer:
    started_s = time.perf_counter()
    found = model.answer(Text(frame.text), frame.domain)
    ms = (time.perf_counter() - started_s) * 1e3
    slots: Counter[tuple[str, str]] = Counter()
    if found.truncated:
        return Answer(found.answer, found.score, ms, "", slots)
    said = json.loads(found.answer)
    for slot, value in said["slots"].items():
        slots.update((slot, each) for each in ([value] if isinstance(value, str) else value))
    return Answer(found.answer, found.score, ms, said["intent"], slots)


def score(frames: Sequence[Frame], answers: Sequence[Answer]) -> Scored:
    """Say which whole answers are right, as a calibration wants to know."""
    return Scored(
        score=np.array([answer.score for answer in answers]),
        right=np.array([float(a.text == f.answer) for f, a in zip(frames, answers, strict=True)]),
        asks=np.zeros(len(answers), dtype=np.bool_),
    )


def figures(frames: Sequence[Frame], answers: Sequence[Answer]) -> dict[str, float]:
    """Keep the score of one domain's answers."""
    right = score(frames, answers).right
    return {
        "samples": len(answers),
        "accuracy": _rounded(right.mean()),
        "surest_accuracy": _rounded(right[_surest(answers)].mean()),
        "slot_f1": _slot_f1(frames, answers),
        "intent_accuracy": _rounded(_intents(frames, answers).mean()),
    }


def surest_intents(frames: Sequence[Frame], answers: Sequence[Answer]) -> float:
    """Give the share of right intents of the 80 % with the highest score."""
    return _rounded(_intents(frames, answers)[_surest(answers)].mean())


def hardest(
    frames: Sequence[Frame], answers: Sequence[Answer], smaller: Sequence[Answer]
) -> dict[str, float]:
    """Compare with a smaller package where that one is least sure."""
    rows = unsure(smaller)
    hard = [frames[row] for row in rows]
    found: dict[str, float] = {}
    for name, every in (("hard", answers), ("hard_smaller", smaller)):
        some = [every[row] for row in rows]
        found[f"{name}_intent_accuracy"] = _rounded(_intents(hard, some).mean())
        found[f"{name}_slot_f1"] = _slot_f1(hard, some)
    return found


def paired(
    frames: Sequence[Frame], answers: Sequence[Answer], smaller: Sequence[Answer]
) -> dict[str, float]:
    """Count the whole answers that only one of two packages gets right, and test the difference.

    The p-value is of the two-sided sign test: how likely so uneven a count is among equals.
    """
    mine, theirs = score(frames, answers).right, score(frames, smaller).right
    better, worse = int((mine > theirs).sum()), int((mine < theirs).sum())
    return {"paired_better": better, "paired_worse": worse, "paired_p": sign_test(better, worse)}


def sign_test(wins: int, losses: int) -> float:
    """Give the chance, by a fair coin, of counts at least as uneven as these."""
    tosses = wins + losses
    tail = sum(math.comb(tosses, heads) for heads in range(min(wins, losses) + 1))
    return float(f"{min(1.0, 2 * tail / 2**tosses):.2g}")


def unsure(answers: Sequence[Answer]) -> list[int]:
    """List the rows of the least sure fifth."""
    return _order(answers)[int(_SURE * len(answers)) :]


def _surest(answers: Sequence[Answer]) -> list[int]:
    return _order(answers)[: int(_SURE * len(answers))]


def _order(answers: Sequence[Answer]) -> list[int]:
    found = np.argsort([-answer.score for answer in answers], kind="stable")
    return [int(row) for row in found]


def _intents(frames: Sequence[Frame], answers: Sequence[Answer]) -> NDArray[np.bool_]:
    return np.array([a.intent == f.intent for f, a in zip(frames, answers, strict=True)])


def _slot_f1(frames: Sequence[Frame], answers: Sequence[Answer]) -> float:
    pairs = [(Counter(f.slots), a.slots) for f, a in zip(frames, answers, strict=True)]
    hits = sum((wanted & said).total() for wanted, said in pairs)
    both = sum(wanted.total() + said.total() for wanted, said in pairs)
    return _rounded(2 * hits / max(1, both))


def _rounded(value: float) -> float:
    return round(float(value), 4)
