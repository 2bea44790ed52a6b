"""The gate's promises on public data: bounds over many resplits, a share over a drifting stream.

Answers are computed once for the module; each resplit calibrates on one half, as `firstline model
calibrate` would, and measures on the other.
"""

import os
import random
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from agent.core.bounds import Certified, Risks, Step, certify
from agent.core.budget import WINDOW, Budget, fresh, save, spend
from agent.core.gate import Calibration, GatePolicy, route
from agent.stages import Draft, Escalate, Explore
from broker.package import calibrate
from broker.package.calibrate import Case
from broker.package.heads import LEVEL, Head
from broker.package.load import load_package
from broker.package.model import Found
from broker.package.risk import risk_table
from firstline.feasible import calibration_of
from firstline.labelled import read_labelled
from firstline.shipped import MODELS

DATA = os.environ.get("FIRSTLINE_DATA")
pytestmark = pytest.mark.skipif(
    not DATA, reason="FIRSTLINE_DATA is not set: no folder with hwu64/ and clinc150/"
)
FOLDERS = {"home": "hwu64", "assistant": "clinc150"}
RESPLITS = 100
CONFIDENCE = 0.9
SHARE, QUESTIONS, PHASES = 0.15, 6000, (0.02, 0.30, 0.10)


class Answers(NamedTuple):
    """What one package says to every row of a validation split."""

    head: Head
    cases: list[Case]
    found: list[Found]

    def some(self, rows: Sequence[int]) -> "Answers":
        return Answers(self.head, [self.cases[n] for n in rows], [self.found[n] for n in rows])


@pytest.fixture(scope="module")
def answers() -> dict[tuple[str, str], Answers]:
    return {
        (size, domain): answered(f"commands-{size}", domain)
        for size, domain in (("small", "home"), ("small", "assistant"), ("large", "assistant"))
    }


def answered(package: str, domain: str) -> Answers:
    model = load_package(MODELS / package)
    head = model.manifest.head(domain)
    data = Path(str(DATA)) / FOLDERS[domain] / "validation.csv"
    cases = [row.case for row in read_labelled(data, model.manifest, head)]
    return Answers(head, cases, [model.answer(case.payload, domain) for case in cases])


@pytest.mark.parametrize(
    ("domain", "max_error"),
    [(domain, bound) for domain in FOLDERS for bound in (0.02, 0.03, 0.05, 0.07, 0.10)],
)
def test_a_bound_is_broken_in_no_more_resplits_than_stated(
    answers: dict[tuple[str, str], Answers], domain: str, max_error: float
) -> None:
    every = answers["small", domain]

    broken = sum(is_broken(every, seed, max_error) for seed in range(RESPLITS))

    assert broken <= (1 - CONFIDENCE) * RESPLITS


def is_broken(every: Answers, seed: int, max_error: float) -> bool:
    """Calibrate on one half; whether more of what is kept of the other half is wrong."""
    rows = list(range(len(every.cases)))
    random.Random(seed).shuffle(rows)  # noqa: S311 - not for secrets
    half = every.some(rows[: len(rows) // 2])
    scored = calibrate.judged(*half_of(half))
    table = tuple(Step(*step) for step in risk_table(scored))
    found = certify(Risks(table, len(half.cases)), max_error, CONFIDENCE)
    if not isinstance(found, Certified):
        return False
    level = LEVEL if scored.scope_threshold is None else scored.scope_threshold
    other = every.some(rows[len(rows) // 2 :])
    kept = [
        answer.answer == case.label
        for answer, case in zip(other.found, other.cases, strict=True)
        if answer.score > found.threshold
        and answer.outside <= level
        and answer.answer != other.head.out_of_scope
    ]
    return bool(kept) and kept.count(False) / len(kept) > max_error


def half_of(half: Answers) -> tuple[Head, list[Found], list[Case]]:
    return half.head, half.found, half.cases


def test_out_of_scope_is_recognised_in_rows_that_its_threshold_has_not_seen(
    answers: dict[tuple[str, str], Answers],
) -> None:
    for size, least in (("small", 0.85), ("large", 0.90)):
        every, recalls, false_flags = answers[size, "assistant"], [], []
        for seed in range(20):
            rows = list(range(len(every.cases)))
            random.Random(seed).shuffle(rows)  # noqa: S311 - not for secrets
            half, other = every.some(rows[::2]), every.some(rows[1::2])
            threshold = calibrate.judged(*half_of(half)).scope_threshold
            assert threshold is not None
            flags = [answer.outside > threshold for answer in other.found]
            is_outside = [case.label == every.head.out_of_scope for case in other.cases]
            recalls.append(np.mean(np.array(flags)[is_outside]))
            false_flags.append(np.mean(np.array(flags)[~np.array(is_outside)]))

        assert np.mean(recalls) >= least
        assert np.mean(false_flags) <= 0.035


def test_a_share_holds_while_the_part_out_of_scope_drifts(
    answers: dict[tuple[str, str], Answers],
) -> None:
    small, large = answers["small", "assistant"], answers["large", "assistant"]
    trust = calibration_of(small.head)

    for seed in range(3):
        draw = random.Random(seed)  # noqa: S311 - not for secrets
        rows = stream(draw, small)
        asked = controlled(draw, trust, small, rows)

        sums = [0, *accumulate(asked)]
        windows = [late - early for early, late in zip(sums, sums[WINDOW:], strict=False)]
        best = in_hindsight(trust, small, rows, sum(asked))
        assert abs(sum(asked) / QUESTIONS - SHARE) <= 0.01
        assert max(windows) / WINDOW <= 2 * SHARE
        assert accuracy(small, large, rows, asked) >= accuracy(small, large, rows, best) - 0.005


def stream(draw: random.Random, small: Answers) -> list[int]:
    is_outside = [case.label == small.head.out_of_scope for case in small.cases]
    outside = [n for n, flag in enumerate(is_outside) if flag]
    inside = [n for n, flag in enumerate(is_outside) if not flag]
    parts = [PHASES[n * len(PHASES) // QUESTIONS] for n in range(QUESTIONS)]
    return [draw.choice(outside if draw.random() < part else inside) for part in parts]


def controlled(
    draw: random.Random, trust: Calibration, small: Answers, rows: list[int]
) -> list[bool]:
    policy = GatePolicy(None, max_share=SHARE, explore=0.01)
    budget: Budget = fresh(SHARE)
    asked = []
    for row in rows:
        decision = route(drafted(small.found[row]), trust, policy, budget, draw.random())
        goes = isinstance(decision, Escalate | Explore)
        budget = (spend if goes else save)(budget, SHARE)
        asked.append(goes)
    return asked


def drafted(found: Found) -> Draft:
    return Draft(found.answer, found.score, "small", 0.0, out_of_scope=found.out_of_scope)


def in_hindsight(trust: Calibration, small: Answers, rows: list[int], count: int) -> list[bool]:
    """The least sure of the whole stream, as nobody can know before its end."""
    found = [small.found[row] for row in rows]
    depths = [0.0 if each.out_of_scope else trust.depth(each.score) for each in found]
    least = set(sorted(range(len(rows)), key=lambda n: depths[n])[:count])
    return [n in least for n in range(len(rows))]


def accuracy(small: Answers, large: Answers, rows: list[int], asked: list[bool]) -> float:
    right = [
        (large if ask else small).found[row].answer == small.cases[row].label
        for row, ask in zip(rows, asked, strict=True)
    ]
    return float(np.mean(right))
