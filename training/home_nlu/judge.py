"""Asks a package through the engine that runs it, by its grammar, and keeps the score.

accuracy          share of answers that are right as a whole
intent_accuracy   share of right intents
surest_...        the same of the 80 % with the highest score
slot_f1           micro-averaged over (slot, exact value) pairs, as conlleval counts phrases
"""

import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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


def figures(frames: Sequence[Frame], answers: Sequence[Answer]) -> dict[str, float]:
    """Keep the score of one domain's answers."""
    right = _intents(frames, answers)
    whole = np.array([a.text == f.answer for f, a in zip(frames, answers, strict=True)])
    surest = np.setdiff1d(np.arange(len(answers)), unsure(answers))
    return {
        "accuracy": _rounded(whole.mean()),
        "surest_accuracy": _rounded(whole[surest].mean()),
        "intent_accuracy": _rounded(right.mean()),
        "intent_surest_accuracy": _rounded(right[surest].mean()),
        "slot_f1": _slot_f1(frames, answers),
        "samples": len(answers),
    }


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


def unsure(answers: Sequence[Answer]) -> list[int]:
    """List the rows of the least sure fifth."""
    order = np.argsort([-answer.score for answer in answers], kind="stable")
    return [int(row) for row in order[int(_SURE * len(answers)) :]]


def _intents(frames: Sequence[Frame], answers: Sequence[Answer]) -> NDArray[np.bool_]:
    return np.array([a.intent == f.intent for f, a in zip(frames, answers, strict=True)])


def _slot_f1(frames: Sequence[Frame], answers: Sequence[Answer]) -> float:
    pairs = [(Counter(f.slots), a.slots) for f, a in zip(frames, answers, strict=True)]
    hits = sum((wanted & said).total() for wanted, said in pairs)
    both = sum(wanted.total() + said.total() for wanted, said in pairs)
    return _rounded(2 * hits / max(1, both))


def _rounded(value: float) -> float:
    return round(float(value), 4)
