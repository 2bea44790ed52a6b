"""Score -> chance of being right, fitted on the file that ships, through the code that runs it.

    (payload, label) of validation -> classify -> pool adjacent violators -> at most 40 knots

The curve is fitted on validation, which trained nothing.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broker.package.document import MAX_KNOTS
from broker.package.manifest import CALIBRATION_FILE, Manifest
from broker.package.onnx import Classification, OnnxClassifier
from broker.wire.payload import Payload

_SMALLEST_BLOCK = 15  # samples; fewer say little about a chance
_FOLDS = 5
_BINS = 10
_CURVE_POINTS = 40
_PRIOR = 0.5  # Jeffreys: a block without an error is not a promise

Floats = NDArray[np.float64]
Block = tuple[int, float, float]  # samples, sum of scores, right answers


@dataclass(frozen=True, slots=True)
class Case:
    """One labelled payload."""

    payload: Payload
    label: str


@dataclass(frozen=True, slots=True)
class Scored:
    """How one head did on its cases; arrays are (N,)."""

    score: Floats
    right: Floats  # 1.0 or 0.0
    asks: NDArray[np.bool_]  # the model said out of scope, so its score is never used


def scored(model: OnnxClassifier, domain: str, cases: Sequence[Case]) -> Scored:
    """Classify every case."""
    found: list[Classification] = [model.classify(case.payload, domain) for case in cases]
    right = [float(f.label == case.label) for f, case in zip(found, cases, strict=True)]
    asks = np.array([f.out_of_scope for f in found])
    return Scored(np.array([f.score for f in found]), np.array(right), asks)


def write(manifest: Manifest, heads: dict[str, Scored]) -> dict[str, float]:
    """Write calibration.json; give each head's expected calibration error."""
    documents, errors = {}, {}
    for domain, cases in heads.items():
        score, right = cases.score[~cases.asks], cases.right[~cases.asks]
        errors[domain] = round(_cross_fitted_error(score, right), 4)
        documents[domain] = {
            "method": "isotonic",
            "score": "max_probability",
            "knots": [[round(s, 5), round(p, 5)] for s, p in knots(score, right)],
            "samples": len(cases.score),
            "ece": errors[domain],
            "risk_coverage": _risk_coverage(cases),
        }
    hashes = dict(manifest.files)
    content = {"weights_sha256": hashes[manifest.file], "heads": documents}
    path = manifest.folder / CALIBRATION_FILE
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return errors


def knots(score: Floats, right: Floats) -> list[tuple[float, float]]:
    """Fit rising (score, chance) points by pooling adjacent violators."""
    order = np.argsort(score, kind="stable")
    groups = np.array_split(order, max(1, len(order) // _SMALLEST_BLOCK))
    blocks = [(len(g), float(score[g].sum()), float(right[g].sum())) for g in groups]
    pooled = _pooled(blocks)
    while len(pooled) > MAX_KNOTS:
        at = min(range(len(pooled) - 1), key=lambda n: pooled[n][0] + pooled[n + 1][0])
        pooled[at : at + 2] = [_joined(pooled[at], pooled[at + 1])]
    points: dict[float, float] = {}
    for count, total, hits in pooled:
        points[round(total / count, 5)] = _chance(count, hits)
    return sorted(points.items())


def _pooled(blocks: list[Block]) -> list[Block]:
    kept: list[Block] = []
    for block in blocks:
        kept.append(block)
        while len(kept) > 1 and _block_chance(kept[-2]) >= _block_chance(kept[-1]):
            kept[-2:] = [_joined(kept[-2], kept[-1])]
    return kept


def _joined(one: Block, other: Block) -> Block:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


def _block_chance(block: Block) -> float:
    return _chance(block[0], block[2])


def _chance(count: int, hits: float) -> float:
    return (hits + _PRIOR) / (count + 2 * _PRIOR)


def _cross_fitted_error(score: Floats, right: Floats) -> float:
    """Mean gap between chance and accuracy in equal bins; each case is judged by other folds."""
    fold = np.random.default_rng(0).integers(0, _FOLDS, len(score))
    chance = np.empty_like(score)
    for number in range(_FOLDS):
        fitted = knots(score[fold != number], right[fold != number])
        chance[fold == number] = np.interp(score[fold == number], *np.array(fitted).T)
    bins = np.array_split(np.argsort(chance, kind="stable"), _BINS)
    gaps = [abs(chance[b].mean() - right[b].mean()) * len(b) for b in bins if len(b)]
    return float(sum(gaps) / len(score))


def _risk_coverage(cases: Scored) -> list[list[float]]:
    """Share answered -> share wrong among them, the surest first; what the model asks is last."""
    order = np.argsort(-np.where(cases.asks, -1.0, cases.score), kind="stable")
    wrong = np.cumsum(1.0 - cases.right[order])
    most = int((~cases.asks).sum())
    counts = sorted({max(1, round(most * n / _CURVE_POINTS)) for n in range(1, _CURVE_POINTS + 1)})
    return [[round(n / len(order), 4), round(float(wrong[n - 1]) / n, 4)] for n in counts]
