"""A deeper model from a shallower one that answers the same until it is trained on.

Chosen layers are followed by a copy that adds nothing yet, because its two last matrices are
zero (Wu et al. 2024, LLaMA Pro, arXiv 2401.02415). All that the small one learned is kept.
"""

from collections.abc import Collection
from dataclasses import replace

import torch
from torch import nn

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


def _silence(block: nn.Module) -> None:
    if isinstance(block, Block):
        nn.init.zeros_(block.output.weight)
        nn.init.zeros_(block.down.weight)
