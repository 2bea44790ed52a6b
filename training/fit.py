"""Fit an encoder to sheets of token ids, on a GPU where there is one, else on the CPU.

A sheet's row carries, per head, a gold label, or a teacher's probabilities, or both.
"""

import logging
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from broker.package.tokenize import WordPiece
from training.encoder import PADDING, Encoder

NO_LABEL = -1
_LOG_EVERY = 500  # steps
_CHUNK = 64  # batches that are sorted by length together
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows of training data."""

    ids: Tensor  # (N, T) int32, padded with zeros
    gold: Tensor  # (N, heads) int64, NO_LABEL where a head has none
    soft: tuple[Tensor, ...] = ()  # per head (N, labels) float16 probabilities, or none at all


@dataclass(frozen=True, slots=True)
class Recipe:
    """How long and how fast to train."""

    steps: int
    batch: int
    rate: float
    head_rate: float
    seed: int
    smoothing: float = 0.05
    gold_weight: float = 0.3  # beside a teacher's probabilities
    warm_up: int = 200  # steps
    decay: float = 0.01


def device() -> torch.device:
    """Choose the GPU if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def token_ids(tokenizer: WordPiece, texts: list[str], *, length: int) -> Tensor:
    """Encode texts to ids (N, length) int32, cut at `length`, padded with zeros."""
    ids = torch.full((len(texts), length), PADDING, dtype=torch.int32)
    for row, text in enumerate(texts):
        numbers = tokenizer.encode(text).ids[:length]
        ids[row, : len(numbers)] = torch.tensor(numbers, dtype=torch.int32)
    return ids


def fit(encoder: Encoder, sheet: Sheet, recipe: Recipe) -> None:
    """Train in place: AdamW, warm-up and a half cosine, bfloat16 where it is safe."""
    torch.manual_seed(recipe.seed)
    where = device()
    encoder.to(where).train()
    heads = set(map(id, encoder.heads.parameters()))
    groups = [
        {"params": [p for p in encoder.parameters() if id(p) not in heads], "lr": recipe.rate},
        {"params": list(encoder.heads.parameters()), "lr": recipe.head_rate},
    ]
    fused = where.type == "cuda"
    optimizer = torch.optim.AdamW(groups, weight_decay=recipe.decay, fused=fused)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda at: _rate(at, recipe))
    started_s, total = time.monotonic(), torch.zeros((), device=where)
    for step, rows in enumerate(_batches(sheet, recipe), start=1):
        with torch.autocast(where.type, dtype=torch.bfloat16):
            logits = encoder(_trimmed(sheet.ids[rows]).to(where))
        loss = _loss(logits, sheet, rows, recipe)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        total += loss.detach()
        if step % _LOG_EVERY == 0:
            spent_s = time.monotonic() - started_s
            log.info("step %d loss %.4f %.0f s", step, total.item() / _LOG_EVERY, spent_s)
            total.zero_()


def probabilities(encoder: Encoder, ids: Tensor, *, batch: int = 2048) -> tuple[Tensor, ...]:
    """Give each head's probabilities (N, labels) float16 for ids (N, T)."""
    where = device()
    encoder.to(where).eval()
    order = _lengths(ids).argsort()
    found = [torch.empty(len(ids), n, dtype=torch.float16) for n in encoder.shape.outputs]
    with torch.no_grad(), torch.autocast(where.type, dtype=torch.bfloat16):
        for start in range(0, len(ids), batch):
            rows = order[start : start + batch]
            for store, logits in zip(found, encoder(_trimmed(ids[rows]).to(where)), strict=True):
                store[rows] = logits.softmax(-1).half().to(store.device)
    return tuple(found)


def _rate(step: int, recipe: Recipe) -> float:
    warm = min(1.0, (step + 1) / recipe.warm_up)
    return warm * 0.5 * (1 + math.cos(math.pi * min(1.0, step / recipe.steps)))


def _lengths(ids: Tensor) -> Tensor:
    return (ids != PADDING).sum(1)


def _trimmed(ids: Tensor) -> Tensor:
    return ids[:, : int(_lengths(ids).max())].long()


def _batches(sheet: Sheet, recipe: Recipe) -> Iterator[Tensor]:
    """Yield the rows of `steps` batches; rows of a batch have about the same length."""
    generator = torch.Generator().manual_seed(recipe.seed)
    lengths, made = _lengths(sheet.ids).cpu(), 0
    while True:
        order = torch.randperm(len(lengths), generator=generator)
        for chunk in order.split(recipe.batch * _CHUNK):
            blocks = chunk[lengths[chunk].argsort()].split(recipe.batch)
            for at in torch.randperm(len(blocks), generator=generator).tolist():
                yield blocks[at].to(sheet.ids.device)
                made += 1
                if made == recipe.steps:
                    return


def _loss(logits: list[Tensor], sheet: Sheet, rows: Tensor, recipe: Recipe) -> Tensor:
    where = logits[0].device
    gold = sheet.gold[rows].to(where)
    loss = torch.zeros((), device=where)
    for head, scores in enumerate(logits):
        has_gold = (gold[:, head] != NO_LABEL).sum().clamp(min=1)
        hard = functional.cross_entropy(
            scores,
            gold[:, head],
            ignore_index=NO_LABEL,
            label_smoothing=recipe.smoothing,
            reduction="sum",
        )
        if not sheet.soft:
            loss = loss + hard / has_gold
            continue
        soft = sheet.soft[head][rows].to(where).float()
        gap = -(soft * scores.log_softmax(-1)).sum(-1).mean()
        loss = loss + gap + recipe.gold_weight * hard / len(rows)
    return loss
