"""Measures a package on labelled cases, through the code that runs it, and writes its calibration.

    (payload, label) -> answer -> Scored -> fit.py, risk.py, scope.py -> calibration.json

What is measured is the file that ships: quantized, with its own tokenizer or features.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from broker.package import scope
from broker.package.curves import read_calibration
from broker.package.fit import Fit, Scored, risk_coverage
from broker.package.heads import LEVEL, Head
from broker.package.manifest import CALIBRATION_FILE, Manifest
from broker.package.model import Found, PackageModel
from broker.package.risk import risk_table
from broker.package.verdict import is_right
from broker.wire.files import write_whole
from broker.wire.payload import Payload

OUT_OF_SCOPE = "oos"  # a case's label, if the head itself has none for it
_POINT = re.compile(r"\[[^][]*\]")  # an array without arrays in it
_FOR_ALL = 0o644  # an agent runs as another user than the one who calibrates


@dataclass(frozen=True, slots=True)
class Case:
    """One labelled payload."""

    payload: Payload
    label: str


def scored(model: PackageModel, domain: str, cases: Sequence[Case]) -> Scored:
    """Classify every case; if some are out of scope, fit what tells them from the others.

    A case that is out of scope has the head's label for that, or `OUT_OF_SCOPE` where it has none.

    Raises:
        PackageError: the model has no such domain, or cannot take a case.
    """
    found = [model.answer(case.payload, domain) for case in cases]
    return judged(model.manifest.head(domain), found, cases)


def judged(head: Head, found: Sequence[Found], cases: Sequence[Case]) -> Scored:
    """Compare a head's answers with the right ones."""
    right = [
        float(is_right(head, f.answer, case.label)) for f, case in zip(found, cases, strict=True)
    ]
    outside = np.array([f.outside for f in found], dtype=np.float64)
    is_outside = np.array([case.label == head.out_of_scope for case in cases], dtype=np.bool_)
    fitted = scope.threshold(outside, is_outside)
    asks = [f.answer == head.out_of_scope for f in found]
    return Scored(
        score=np.array([f.score for f in found], dtype=np.float64),
        right=np.array(right, dtype=np.float64),
        asks=np.array(asks, dtype=np.bool_) | (outside > (LEVEL if fitted is None else fitted)),
        cut=sum(f.truncated for f in found),
        scope_threshold=fitted,
    )


def write(manifest: Manifest, heads: Mapping[str, tuple[Scored, Fit]]) -> None:
    """Write calibration.json; what it says of other heads of the same weights stays.

    Raises:
        ManifestError: there is one that cannot be read.
        OSError: it cannot be written.
    """
    path = manifest.folder / CALIBRATION_FILE
    weights = dict(manifest.files)[manifest.file]
    documents: dict[str, object] = {}
    if path.exists() and (there := read_calibration(path)).weights_sha256 == weights:
        documents |= {name: curve.model_dump(mode="json") for name, curve in there.heads.items()}
    documents |= {domain: _document(cases, found) for domain, (cases, found) in heads.items()}
    content = {"weights_sha256": weights, "heads": documents}
    text = _POINT.sub(_on_one_line, json.dumps(content, indent=1))
    write_whole(path, (text + "\n").encode(), mode=_FOR_ALL)


def _on_one_line(point: re.Match[str]) -> str:
    return " ".join(point[0].split()).replace("[ ", "[").replace(" ]", "]")


def _document(cases: Scored, found: Fit) -> dict[str, object]:
    return {
        "method": found.method,
        "score": "max_probability",
        "knots": [[round(s, 5), round(p, 5)] for s, p in found.knots],
        "samples": len(cases.score),
        "ece": round(found.ece, 4),
        "risk_coverage": risk_coverage(cases),
        "risk_table": risk_table(cases),
        **({} if cases.scope_threshold is None else {"scope_threshold": cases.scope_threshold}),
    }
