"""A deeper model from a shallower one that answers the same until it is trained on.

Each layer is followed by a copy that adds nothing yet, because its two last matrices are zero
(Wu et al. 2024, LLaMA Pro, arXiv 2401.02415). All that the small one learned is kept.
"""

from dataclasses import replace

import torch
from torch import nn

from training.home_nlu.llama import Block, Llama


@torch.no_grad()
def grown(small: Llama, *, copies: int) -> Llama:
    """Make a model of `copies` times the layers."""
    shape = replace(small.shape, depth=copies * small.shape.depth)
    large = Llama(shape, small.bases, small.variants, small.dropout)
    large.base.load_state_dict(small.base.state_dict())
    large.variant.load_state_dict(small.variant.state_dict())
    large.norm.load_state_dict(small.norm.state_dict())
    for place, block in enumerate(large.blocks):
        block.load_state_dict(small.blocks[place // copies].state_dict())
        if place % copies:
            _silence(block)
    return large


def _silence(block: nn.Module) -> None:
    if isinstance(block, Block):
        nn.init.zeros_(block.output.weight)
        nn.init.zeros_(block.down.weight)
