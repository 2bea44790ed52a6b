"""Muon: momentum whose matrices are made orthogonal, for the inner weights of a network.

Jordan et al. 2024 (kellerjordan.github.io/posts/muon). PyTorch has one that computes in
bfloat16, which a processor without such products emulates slowly; this one keeps float32.
"""

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.optim import Optimizer

_STEPS = 5
_FACTORS = (3.4445, -4.7750, 2.0315)  # of the quintic iteration; from the post
_MOMENTUM = 0.95


class Muon(Optimizer):
    """Steps matrices along the nearest orthogonal matrix to their momentum (Nesterov)."""

    def __init__(self, matrices: Iterable[Tensor], *, rate: float, decay: float) -> None:
        super().__init__(matrices, {"lr": rate, "decay": decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # noqa: ARG002 # torch's signature
        """Take one step."""
        for group in self.param_groups:
            for matrix in group["params"]:
                speed = self.state[matrix].setdefault("speed", torch.zeros_like(matrix))
                speed.lerp_(matrix.grad, 1 - _MOMENTUM)
                ahead = matrix.grad.lerp(speed, _MOMENTUM)
                rows, columns = matrix.shape
                # A step of about the size that AdamW takes: Liu et al. 2025, arXiv 2502.16982.
                size = 0.2 * max(rows, columns) ** 0.5
                matrix.mul_(1 - group["lr"] * group["decay"])
                matrix.add_(orthogonal(ahead), alpha=-group["lr"] * size)


def orthogonal(matrix: Tensor) -> Tensor:
    """Bring all singular values of a matrix near one."""
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    a, b, c = _FACTORS
    for _ in range(_STEPS):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x.T if tall else x
