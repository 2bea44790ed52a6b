"""A MiniLM that marks the values in a home utterance: what a slot teacher thinks of many.

    wake  me  at  5       am          words, each with the tag of its first piece (tags.py)
    O     O   O   B-time  I-time
    alarm_set                         beside them, from the mean of all states

It learns the intent as well, because a slot's name often depends on it.
"""

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from broker.package.tokenize import WordPiece
from training import vocabulary
from training.encoder import PADDING, minilm
from training.home_nlu import tags
from training.home_nlu.frames import Frame, Part
from training.home_nlu.tags import Word

_LENGTH = 64  # pieces; the longest home utterance of the pool has fewer
_IGNORED = -100  # PyTorch's label without a loss
_LOG_EVERY = 50  # steps
_WARM_UP = 60  # steps
_BATCH = 64  # sentences
_ASKED = 256  # sentences at once, where nothing is learned
_CHUNK = 40  # batches that are sorted by length together
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Marked:
    """What a tagger makes of a text."""

    parts: tuple[Part, ...]
    chance: float  # in (0, 1], of all parts together: the product over the words
    intents: Tensor  # (L,) probabilities


@dataclass(frozen=True, slots=True)
class Lesson:
    """Frames with gold slots, and what is known of their intents."""

    frames: Sequence[Frame]
    intents: Tensor  # (N, L) probabilities


@dataclass(frozen=True, slots=True)
class Cut:
    """A text's ids, and the words that are wholly among them."""

    ids: list[int]
    words: list[Word]
    places: list[int]  # of the words' first pieces


class Tagger(nn.Module):
    """MiniLM with a tag for every word and an intent for every sentence."""

    def __init__(self, minilm_folder: Path, *, slots: Sequence[str], intents: int) -> None:
        """Load MiniLM and give it fresh heads."""
        super().__init__()
        self.tags = [tags.OUTSIDE, *(f"{kind}-{slot}" for slot in slots for kind in "BI")]
        self.encoder = minilm(minilm_folder, (intents,), positions=_LENGTH)
        self.encoder.words.weight.requires_grad_(requires_grad=False)  # too many for so few texts
        self.mark = nn.Linear(self.encoder.shape.hidden, len(self.tags))
        self.dropout = nn.Dropout(0.1)
        self._tokenizer = WordPiece(vocabulary.read(minilm_folder), max_tokens=_LENGTH)
        self._pieces: dict[str, tuple[int, ...]] = {}

    def forward(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Map ids (B, T) to the logits of the tags (B, T, tags) and of the intents (B, L)."""
        states = self.encoder.states(ids)
        return self.mark(self.dropout(states)), self.encoder.judged(states, ids)[0]

    def cut(self, text: str) -> Cut:
        """Cut a text into words, and these into pieces."""
        begin, end = self._tokenizer.encode("").ids
        found = Cut([begin], [], [])
        for word in tags.words(text):
            if word.text not in self._pieces:
                self._pieces[word.text] = self._tokenizer.encode(word.text).ids[1:-1]
            pieces = self._pieces[word.text]
            if pieces and len(found.ids) + len(pieces) < _LENGTH:
                found.words.append(word)
                found.places.append(len(found.ids))
                found.ids.extend(pieces)
        found.ids.append(end)
        return found


def fit(tagger: Tagger, lesson: Lesson, *, steps: int, rate: float, seed: int) -> None:
    """Train in place: AdamW, warm-up and a half cosine."""
    torch.manual_seed(seed)
    rows = [_row(tagger, frame) for frame in lesson.frames]
    optimizer = _optimizer(tagger, rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda at: _share(at / steps, at))
    started_s, total = time.monotonic(), 0.0
    tagger.train()
    for step, chosen in enumerate(_batches([len(ids) for ids, _ in rows], steps, seed), start=1):
        ids, wanted = _padded([rows[n] for n in chosen])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = tagger(ids)
        loss = _loss(found, wanted, lesson.intents[chosen].float())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(tagger.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        total += loss.item()
        if step % _LOG_EVERY == 0:
            spent_s = time.monotonic() - started_s
            log.info("tagger: step %d loss %.4f %.0f s", step, total / _LOG_EVERY, spent_s)
            total = 0.0


@torch.no_grad()
def marked(tagger: Tagger, texts: Sequence[str]) -> list[Marked]:
    """Mark the values of texts."""
    tagger.eval()
    cuts = [tagger.cut(text) for text in texts]
    found: dict[int, Marked] = {}
    for rows in torch.tensor([len(cut.ids) for cut in cuts]).argsort().split(_ASKED):
        some = rows.tolist()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits, intents = tagger(_ids([cuts[row].ids for row in some]))
        chances, best = logits.float().softmax(-1).max(-1)
        for at, row in enumerate(some):
            cut = cuts[row]
            marks = [tagger.tags[number] for number in best[at, cut.places].tolist()]
            found[row] = Marked(
                tags.parts(texts[row], cut.words, marks),
                float(chances[at, cut.places].prod()),
                intents[at].float().softmax(-1),
            )
    return [found[row] for row in range(len(texts))]


def _share(done: float, steps: int) -> float:
    """Give the share of the full rate after some steps, `done` in [0, 1] of all."""
    return min(1.0, (steps + 1) / _WARM_UP) * (1 + math.cos(math.pi * done)) / 2


def _optimizer(tagger: Tagger, rate: float) -> torch.optim.Optimizer:
    heads = [*tagger.mark.parameters(), *tagger.encoder.heads.parameters()]
    fresh = {id(p) for p in heads}
    body = [p for p in tagger.parameters() if p.requires_grad and id(p) not in fresh]
    groups = [{"params": body, "lr": rate}, {"params": heads, "lr": 20 * rate}]
    return torch.optim.AdamW(groups, weight_decay=0.01, fused=True)


def _row(tagger: Tagger, frame: Frame) -> tuple[list[int], list[int]]:
    """Give a frame's ids and the tag of each, _IGNORED inside words."""
    cut = tagger.cut(frame.text)
    wanted = [_IGNORED] * len(cut.ids)
    for place, tag in zip(cut.places, tags.tags(frame.parts, cut.words), strict=True):
        wanted[place] = tagger.tags.index(tag)
    return cut.ids, wanted


def _loss(found: tuple[Tensor, Tensor], wanted: Tensor, intents: Tensor) -> Tensor:
    """Weigh the tags as four intents: there are many to learn."""
    marks = functional.cross_entropy(
        found[0].float().flatten(0, 1),
        wanted.flatten(),
        ignore_index=_IGNORED,
        label_smoothing=0.02,
    )
    return marks * 4 + functional.cross_entropy(found[1].float(), intents)


def _padded(rows: Sequence[tuple[list[int], list[int]]]) -> tuple[Tensor, Tensor]:
    ids = _ids([ids for ids, _ in rows])
    wanted = torch.full_like(ids, _IGNORED)
    for at, (_, mine) in enumerate(rows):
        wanted[at, : len(mine)] = torch.tensor(mine)
    return ids, wanted


def _ids(rows: Sequence[list[int]]) -> Tensor:
    ids = torch.full((len(rows), max(map(len, rows))), PADDING)
    for at, mine in enumerate(rows):
        ids[at, : len(mine)] = torch.tensor(mine)
    return ids


def _batches(lengths: Sequence[int], steps: int, seed: int) -> list[list[int]]:
    """Draw the rows of each step's batch; rows of a batch have about the same length."""
    generator = torch.Generator().manual_seed(seed)
    sizes = torch.tensor(lengths)
    found: list[list[int]] = []
    while len(found) < steps:
        for chunk in torch.randperm(len(sizes), generator=generator).split(_BATCH * _CHUNK):
            blocks = chunk[sizes[chunk].argsort()].split(_BATCH)
            order = torch.randperm(len(blocks), generator=generator).tolist()
            found += [blocks[at].tolist() for at in order]
    return found[:steps]
