"""One small BERT encoder with a linear head per domain; MiniLM and the student are its sizes.

    ids (B, T) -> word + position -> (project) -> L layers -> mean over T -> logits of each head

The layers are post-norm, as in BERT, so that its weights fit.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

PADDING = 0  # id of [PAD], first in every vocabulary


@dataclass(frozen=True, slots=True)
class Shape:
    """Sizes of an encoder."""

    vocabulary: int
    embedding: int
    hidden: int
    layers: int
    heads: int
    inner: int
    positions: int
    outputs: tuple[int, ...]  # labels of each head
    epsilon: float = 1e-12  # BERT's own


class Layer(nn.Module):
    """Self-attention and a feed-forward block, each followed by its norm (post-norm, as BERT)."""

    def __init__(self, shape: Shape, dropout: float) -> None:
        """Make one layer."""
        super().__init__()
        self.heads = shape.heads
        self.qkv = nn.Linear(shape.hidden, 3 * shape.hidden)
        self.out = nn.Linear(shape.hidden, shape.hidden)
        self.attention_norm = nn.LayerNorm(shape.hidden, eps=shape.epsilon)
        self.inner = nn.Linear(shape.hidden, shape.inner)
        self.outer = nn.Linear(shape.inner, shape.hidden)
        self.norm = nn.LayerNorm(shape.hidden, eps=shape.epsilon)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Map x (B, T, H) to the same shape; mask (B, 1, 1, T) is true at real tokens."""
        batch, length, hidden = x.shape
        split = self.qkv(x).view(batch, length, 3, self.heads, hidden // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        mixed = mixed.transpose(1, 2).reshape(batch, length, hidden)
        x = self.attention_norm(x + self.dropout(self.out(mixed)))
        return self.norm(x + self.dropout(self.outer(functional.gelu(self.inner(x)))))


class Encoder(nn.Module):
    """The encoder and its heads."""

    def __init__(self, shape: Shape, *, dropout: float = 0.1) -> None:
        """Make an encoder with random weights."""
        super().__init__()
        self.shape = shape
        self.words = nn.Embedding(shape.vocabulary, shape.embedding)
        self.positions = nn.Embedding(shape.positions, shape.embedding)
        self.embedding_norm = nn.LayerNorm(shape.embedding, eps=shape.epsilon)
        self.project = (
            nn.Linear(shape.embedding, shape.hidden)
            if shape.embedding != shape.hidden
            else nn.Identity()
        )
        self.layers = nn.ModuleList(Layer(shape, dropout) for _ in range(shape.layers))
        self.heads = nn.ModuleList(nn.Linear(shape.hidden, size) for size in shape.outputs)
        self.dropout = nn.Dropout(dropout)
        for module in self.modules():
            if isinstance(module, nn.Embedding | nn.Linear):
                nn.init.normal_(module.weight, std=0.05)

    def forward(self, ids: Tensor) -> list[Tensor]:
        """Map ids (B, T), padded with zeros, to the logits (B, labels) of each head."""
        return self.judged(self.states(ids), ids)

    def states(self, ids: Tensor) -> Tensor:
        """Map ids (B, T), padded with zeros, to the last layer's states (B, T, H)."""
        real = ids != PADDING
        x = self.words(ids) + self.positions.weight[: ids.shape[1]]
        x = self.project(self.dropout(self.embedding_norm(x)))
        mask = real[:, None, None, :]
        for layer in self.layers:
            x = layer(x, mask)
        return x

    def judged(self, states: Tensor, ids: Tensor) -> list[Tensor]:
        """Give the logits (B, labels) of each head from the states of ids (B, T)."""
        weight = (ids != PADDING).unsqueeze(-1).to(states.dtype)
        mean = (states * weight).sum(1) / weight.sum(1)
        mean = self.dropout(mean)
        return [head(mean).float() for head in self.heads]


def minilm(folder: Path, outputs: tuple[int, ...], *, positions: int) -> Encoder:
    """Load MiniLM-L6 (6 layers, 384 wide, 12 heads, 1536 inner) and give it fresh heads."""
    state = {name: value.float() for name, value in load_file(folder / "model.safetensors").items()}
    words = state["embeddings.word_embeddings.weight"]
    encoder = Encoder(Shape(len(words), 384, 384, 6, 12, 1536, positions, outputs))
    with torch.no_grad():
        encoder.words.weight.copy_(words)
        # Every text is one sentence, so the first row of the type embedding is a constant.
        encoder.positions.weight.copy_(
            state["embeddings.position_embeddings.weight"][:positions]
            + state["embeddings.token_type_embeddings.weight"][0]
        )
        _copy(encoder.embedding_norm, state, "embeddings.LayerNorm")
        for number, layer in enumerate(encoder.layers):
            _copy_layer(layer, state, f"encoder.layer.{number}")
    return encoder


def _copy_layer(layer: nn.Module, state: dict[str, Tensor], name: str) -> None:
    for part in ("weight", "bias"):
        parts = [state[f"{name}.attention.self.{p}.{part}"] for p in ("query", "key", "value")]
        getattr(layer.qkv, part).copy_(torch.cat(parts))
    _copy(layer.out, state, f"{name}.attention.output.dense")
    _copy(layer.attention_norm, state, f"{name}.attention.output.LayerNorm")
    _copy(layer.inner, state, f"{name}.intermediate.dense")
    _copy(layer.outer, state, f"{name}.output.dense")
    _copy(layer.norm, state, f"{name}.output.LayerNorm")


def _copy(module: nn.Module, state: dict[str, Tensor], name: str) -> None:
    module.weight.copy_(state[f"{name}.weight"])
    module.bias.copy_(state[f"{name}.bias"])
