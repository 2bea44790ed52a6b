"""A deeper model from a shallower one that answers the same until it is trained on.

Chosen layers are followed by a copy that adds nothing yet, because its two last matrices are
zero (Wu et al. 2024, LLaMA Pro, arXiv 2401.02415). All that the small one learned is kept.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from training.home_nlu.llama import Block, Llama


@torch.no_grad()
def grown(small: Llama, *, doubled: Collection[int]) -> Llama:
    """Make a model in which the layers of these numbers are doubled."""
    sources = sorted([*range(small.shape.depth), *doubled])
    large = Llama(
        replace(small.shape, depth=len(sources)), small.bases, small.variants, small.dropout
    )
    large.base.load_state_dict(small.base.state_dict())
    large.variant.load_state_dict(small.variant.state_dict())
    large.norm.load_state_dict(small.norm.state_dict())
    for place, source in enumerate(sources):
        large.blocks[place].load_state_dict(small.blocks[source].state_dict())
        if place and sources[place - 1] == source:
            _silence(large.blocks[place])
    return large


def mean(points: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Average the weights of several points of one training (Izmailov et al., arXiv 1803.05407)."""
    return {name: torch.stack([each[name] for each in points]).mean(0) for name in points[0]}


def weights(model: Llama) -> dict[str, Tensor]:
    """Copy a model's weights."""
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def _silence(block: nn.Module) -> None:
    if isinstance(block, Block):
        nn.init.zeros_(block.output.weight)
        nn.init.zeros_(block.down.weight)
