"""Measures a package on labelled cases, through the code that runs it, and writes its calibration.

    (payload, label) -> answer -> Scored -> fit.py -> calibration.json

What is measured is the file that ships: quantized, with its own tokenizer or features.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from broker.package.curves import read_calibration
from broker.package.fit import Fit, Scored, risk_coverage
from broker.package.manifest import CALIBRATION_FILE, Manifest
from broker.package.model import Found, PackageModel
from broker.package.verdict import is_right
from broker.wire.files import write_whole
from broker.wire.payload import Payload

_FOR_ALL = 0o644  # an agent runs as another user than the one who calibrates


@dataclass(frozen=True, slots=True)
class Case:
    """One labelled payload."""

    payload: Payload
    label: str


def scored(model: PackageModel, domain: str, cases: Sequence[Case]) -> Scored:
    """Classify every case.

    Raises:
        PackageError: the model has no such domain, or cannot take a case.
    """
    head = model.manifest.head(domain)
    found: list[Found] = [model.answer(case.payload, domain) for case in cases]
    right = [
        float(is_right(head, f.answer, case.label)) for f, case in zip(found, cases, strict=True)
    ]
    return Scored(
        score=np.array([f.score for f in found], dtype=np.float64),
        right=np.array(right, dtype=np.float64),
        asks=np.array([f.out_of_scope for f in found], dtype=np.bool_),
        cut=sum(f.truncated for f in found),
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
    write_whole(path, (json.dumps(content, indent=1) + "\n").encode())
    path.chmod(_FOR_ALL)


def _document(cases: Scored, found: Fit) -> dict[str, object]:
    return {
        "method": found.method,
        "score": "max_probability",
        "knots": [[round(s, 5), round(p, 5)] for s, p in found.knots],
        "samples": len(cases.score),
        "ece": round(found.ece, 4),
        "risk_coverage": risk_coverage(cases),
    }
