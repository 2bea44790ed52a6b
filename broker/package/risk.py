"""How wrong kept answers were at each threshold: what an error bound is certified from.

(N,) scores, (N,) right or not --> (score, kept, wrong) at a hundred ranks
"""

from typing import Final

import numpy as np

from broker.package.fit import Scored

_STEPS: Final = 100  # one for each percent of the rows
_LOWEST: Final = 0.0  # keeps every answer that the model does not call out of scope itself


def risk_table(cases: Scored) -> list[tuple[float, int, int]]:
    """Count kept and wrong rows above the scores at fixed ranks, then above 0.

    The ranks do not look at the answers, and a row at the threshold is not kept: so the rows above
    it are independent draws from all whose score is above it, whatever is tied.
    """
    score, wrong = cases.score[~cases.asks], cases.right[~cases.asks] < 1.0
    order = np.argsort(-score, kind="stable")
    score, errors = score[order], np.cumsum(wrong[order])
    ranks = sorted({len(score) * step // _STEPS for step in range(1, _STEPS + 1)})
    thresholds = [*(float(score[rank - 1]) for rank in ranks if rank), _LOWEST]
    table: dict[float, tuple[float, int, int]] = {}
    for threshold in thresholds:
        kept = int((score > threshold).sum())
        if kept:
            table[threshold] = (threshold, kept, int(errors[kept - 1]))
    return list(table.values())
