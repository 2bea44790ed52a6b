"""Fit a Llama: Muon and AdamW, warm-up, a plateau and a linear decline; the JSON's cross-entropy.

The intent's loss is gold and teacher in halves where both are there. Products are of bfloat16, and
so are Muon's (Jordan et al. 2024, kellerjordan.github.io/posts/muon): a processor without them
takes longer.
"""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from training.home_nlu.llama import Llama
from training.home_nlu.samples import IGNORED, Batch

_LOG_EVERY = 100  # steps
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recipe:
    """How long and how fast to train."""

    steps: int
    rate: float = 2e-3
    warm_up: int = 100  # steps
    declining: float = 0.3  # share of the steps
    decay: float = 0.1  # of the layers' matrices
    intent_weight: float = 2.0  # of the intent's token; the others have 1
    smoothing: float = 0.03
    lost: float = 0.05  # share of prompt tokens that are replaced by any token


@dataclass(frozen=True, slots=True)
class Teacher:
    """What another model thinks of many sentences."""

    tokens: Tensor  # (L,) int64: the intent tokens, in the order of the labels
    chances: Tensor  # (N, L) float16 probabilities


def fit(model: Llama, batches: Iterator[Batch], teacher: Teacher, recipe: Recipe) -> None:
    """Train in place."""
    optimizers = _optimizers(model, recipe)
    started_s, total = time.monotonic(), 0.0
    model.train()
    for step in range(1, recipe.steps + 1):
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = _rate(step, recipe)
        batch = next(batches)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(_worn(batch, model.bases, recipe.lost), batch.places)
        loss = _loss(logits.float(), batch, teacher, recipe)
        model.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
        total += loss.item()
        if step % _LOG_EVERY == 0:
            spent_s = time.monotonic() - started_s
            log.info("step %d loss %.4f %.0f s", step, total / _LOG_EVERY, spent_s)
            total = 0.0


def _optimizers(model: Llama, recipe: Recipe) -> tuple[torch.optim.Optimizer, ...]:
    """Give Muon for the matrices of the layers, and AdamW for the rest."""
    matrices = [p for p in model.blocks.parameters() if p.dim() == 2]
    inner = {id(p) for p in matrices}
    others = [p for p in model.parameters() if id(p) not in inner]
    adam = torch.optim.AdamW(others, betas=(0.9, 0.98), weight_decay=0.0, fused=True)
    # Steps of about the size that AdamW takes: Liu et al. 2025, arXiv 2502.16982.
    muon = torch.optim.Muon(matrices, weight_decay=recipe.decay, adjust_lr_fn="match_rms_adamw")
    return muon, adam


def _rate(step: int, recipe: Recipe) -> float:
    left = (recipe.steps - step + 1) / (recipe.declining * recipe.steps)
    return recipe.rate * min(1.0, step / recipe.warm_up, left)


def _worn(batch: Batch, bases: Tensor, share: float) -> Tensor:
    """Replace some prompt tokens by any others, but none that the answer copies."""
    asked = batch.wanted.cumsum(1)
    numbers = bases[batch.ids]
    written = torch.where(asked > 1, numbers, -1)
    copied = (numbers[:, :, None] == written[:, None, :]).any(2)
    lost = (asked == 0) & ~copied & (torch.rand(batch.ids.shape) < share)
    lost[:, 0] = False
    return torch.where(lost, torch.randint(len(bases), batch.ids.shape), batch.ids)


def _loss(logits: Tensor, batch: Batch, teacher: Teacher, recipe: Recipe) -> Tensor:
    """Average the weighted losses of logits (N, V)."""
    gold = functional.cross_entropy(
        logits,
        batch.labels,
        ignore_index=IGNORED,
        reduction="none",
        label_smoothing=recipe.smoothing,
    )
    told = batch.labels != IGNORED
    weights = told.float()
    weights[batch.intents] = recipe.intent_weight
    chances = teacher.chances[batch.rows].float()
    logarithms = logits[batch.intents].log_softmax(-1)[:, teacher.tokens]
    soft = -(chances * logarithms).sum(-1)
    share = torch.where(told[batch.intents], 0.5, 1.0)  # the teacher's; gold has the rest
    mixed = share * soft + (1 - share) * gold[batch.intents]
    losses = gold.index_put((batch.intents,), mixed)
    return (losses * weights).sum() / weights.sum()
