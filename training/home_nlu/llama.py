"""A Llama as llama.cpp runs it, small enough to read: RMS norms, rotary heads, SwiGLU, tied ends.

Touvron et al. 2023 (arXiv 2302.13971). Rotation is of neighbouring pairs, which is llama.cpp's
order for this architecture, so weights go into the file as they are.

    ids (B, T) -> embedding (B, T, D) -> depth x (attention, SwiGLU) -> norm -> logits (B, T, V)
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

EPSILON = 1e-5
THETA = 10_000.0  # of the rotary embedding


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a model; rows must be multiples of 32, the block of GGUF's quantized types."""

    width: int
    depth: int
    heads: int
    hidden: int  # of the SwiGLU
    context: int  # tokens


class Block(nn.Module):
    """One layer: causal attention, then SwiGLU, each added to the stream."""

    def __init__(self, shape: Shape, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = shape.heads, dropout
        self.attention_norm = nn.RMSNorm(shape.width, eps=EPSILON)
        self.query_key_value = nn.Linear(shape.width, 3 * shape.width, bias=False)
        self.output = nn.Linear(shape.width, shape.width, bias=False)
        self.swiglu_norm = nn.RMSNorm(shape.width, eps=EPSILON)
        self.gate_up = nn.Linear(shape.width, 2 * shape.hidden, bias=False)
        self.down = nn.Linear(shape.hidden, shape.width, bias=False)

    def forward(self, x: Tensor, turns: Tensor) -> Tensor:
        """Map the stream (B, T, D) to itself."""
        batch, length, width = x.shape
        parts = self.query_key_value(self.attention_norm(x))
        parts = parts.view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        query, key = _turned(parts[0], turns), _turned(parts[1], turns)
        seen = _seen(query, key, parts[2])
        seen = self.output(seen.transpose(1, 2).reshape(batch, length, width))
        x = x + functional.dropout(seen, self.dropout, self.training)
        gate, up = self.gate_up(self.swiglu_norm(x)).chunk(2, -1)
        added = self.down(functional.silu(gate) * up)
        return x + functional.dropout(added, self.dropout, self.training)


class Llama(nn.Module):
    """The whole model; a token's vector is its base's plus its variant's (see tokens.py)."""

    def __init__(self, shape: Shape, bases: Tensor, variants: Tensor, dropout: float) -> None:
        """Make a model for a vocabulary whose token n has base `bases[n]`, `variants[n]`."""
        super().__init__()
        self.shape, self.dropout = shape, dropout
        self.register_buffer("bases", bases, persistent=False)
        self.register_buffer("variants", variants, persistent=False)
        self.base = nn.Embedding(int(bases.max()) + 1, shape.width)
        self.variant = nn.Embedding(int(variants.max()) + 1, shape.width)
        self.blocks = nn.ModuleList(Block(shape, dropout) for _ in range(shape.depth))
        self.norm = nn.RMSNorm(shape.width, eps=EPSILON)
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                last = name.endswith(("output.weight", "down.weight"))
                nn.init.normal_(weight, std=0.02 / (2 * shape.depth) ** 0.5 if last else 0.02)

    def embedding(self) -> Tensor:
        """Give the vectors (V, D) of all tokens, which are also the output's weights."""
        return self.base.weight[self.bases] + self.variant.weight[self.variants]

    def forward(self, ids: Tensor, places: Tensor) -> Tensor:
        """Give the logits (N, V) at N places of the flattened ids (B, T)."""
        vectors = self.embedding()
        x = functional.dropout(vectors[ids], self.dropout, self.training)
        turns = _turns(ids.shape[1], self.shape.width // self.shape.heads)
        for block in self.blocks:
            x = block(x, turns)
        chosen = x.flatten(0, 1).index_select(0, places)
        return functional.linear(self.norm(chosen), vectors)


def _seen(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attend causally, all (B, H, T, size); PyTorch's own takes longer for such short texts."""
    length, size = query.shape[2:]
    nearness = (query @ key.transpose(-1, -2)).float() / size**0.5
    later = torch.ones(length, length, dtype=torch.bool).triu(1)
    return nearness.masked_fill(later, -torch.inf).softmax(-1).to(value.dtype) @ value


def _turns(length: int, size: int) -> Tensor:
    """Give the rotations (T, size/2), complex, of the rotary embedding."""
    rates = THETA ** (-torch.arange(0, size, 2) / size)
    angles = torch.arange(length)[:, None] * rates
    return torch.polar(torch.ones_like(angles), angles)


def _turned(x: Tensor, turns: Tensor) -> Tensor:
    """Rotate each pair of neighbours of x (B, H, T, size)."""
    pairs = torch.view_as_complex(x.unflatten(-1, (-1, 2)))
    return torch.view_as_real(pairs * turns).flatten(-2)
