"""Full answers for sentences that nobody labelled: the pool, taught further; cached under OUT.

    pool's home frames -> tagger -> slots and intents of the pool's unlabelled sentences and of more
                                    where it is sure: a frame to learn from, as if it were gold

A sentence of which it is less sure still teaches its intent. What commands-large thinks of an
intent stands where it was asked; of the added sentences the tagger thinks.
"""

import logging
import random
from dataclasses import replace
from pathlib import Path

import torch

from training import data, vocabulary
from training.augment import Augmenter
from training.encoder import minilm
from training.home_nlu import tagger
from training.home_nlu.frames import HOME, Frame, Part
from training.home_nlu.pool import Pool
from training.home_nlu.tagger import Lesson, Marked, Tagger

_STEPS = 900
_RATE = 1e-4
_SEED = 1
_GOLD_ROUNDS = 4  # of the training frames, beside half of the frames made of them
_SENTENCES = 60_000  # more made ones
_SURE = 0.5  # of all slots, and of the intent
log = logging.getLogger(__name__)


def told(work: Pool, gold: int, source: Path, minilm_folder: Path, *, cache: Path) -> Pool:
    """Give the pool with more sentences and the tagger's frames; its first `gold` are gold."""
    path = cache / "home-nlu-told.pt"
    if path.exists():
        found = torch.load(path, weights_only=False)
        assert isinstance(found, Pool)  # noqa: S101 # our own cache
        return found
    more = _more(work, source, minilm_folder)
    texts = [frame.text for frame in work.unlabelled] + more
    found = _completed(work, texts, tagger.marked(_trained(work, gold, minilm_folder), texts))
    torch.save(found, path)
    return found


def _trained(work: Pool, gold: int, minilm_folder: Path) -> Tagger:
    home = [row for row, frame in enumerate(work.labelled) if frame.domain == HOME]
    slots = sorted({slot for row in home for slot, _ in work.labelled[row].slots})
    made = [row for row in home if row >= gold]
    random.Random(_SEED).shuffle(made)  # noqa: S311
    rows = [row for row in home if row < gold] * _GOLD_ROUNDS + made[: len(made) // 2]
    teacher = Tagger(minilm_folder, slots=slots, intents=len(work.labels))
    tagger.fit(teacher, _lesson(work, rows), steps=_STEPS, rate=_RATE, seed=_SEED)
    return teacher


def _lesson(work: Pool, rows: list[int]) -> Lesson:
    """Take frames of the pool; of their intents half is gold and half from commands-large."""
    frames = [work.labelled[row] for row in rows]
    places = torch.tensor([work.labels.index(frame.intent) for frame in frames])
    soft = work.chances[torch.tensor([work.rows[row] for row in rows])].float()
    hard = torch.nn.functional.one_hot(places, len(work.labels))
    return Lesson(frames, (soft + hard) / 2)


def _more(work: Pool, source: Path, minilm_folder: Path) -> list[str]:
    """Make sentences that the pool lacks."""
    examples = data.labelled(source, data.HOME, "train")
    full = vocabulary.read(minilm_folder)
    embedding = minilm(minilm_folder, (1,), positions=8).words.weight.detach()
    similar = vocabulary.similar_words(full, embedding, [e.text for e in examples])
    made = Augmenter(examples, similar=similar, seed=3).sentences(_SENTENCES)
    there = {frame.text for frame in (*work.labelled, *work.unlabelled)}
    return sorted({text for text in made if text} - there)


def _completed(work: Pool, texts: list[str], marks: list[Marked]) -> Pool:
    """Add what a tagger makes of the pool's unlabelled sentences and of others after them."""
    added = torch.stack([mark.intents for mark in marks[len(work.unlabelled) :]])
    chances = torch.cat([work.chances, added.half()])
    rows = work.unlabelled_rows + list(range(len(work.chances), len(chances)))
    sure, best = chances[torch.tensor(rows)].float().max(-1)
    labelled, labelled_rows = list(work.labelled), list(work.rows)
    unlabelled: list[Frame] = []
    unlabelled_rows: list[int] = []
    for at, (text, mark, row) in enumerate(zip(texts, marks, rows, strict=True)):
        if mark.chance > _SURE and sure[at] > _SURE:
            labelled.append(Frame(HOME, work.labels[int(best[at])], mark.parts))
            labelled_rows.append(row)
        else:
            unlabelled.append(Frame(HOME, "", (Part("", text),)))
            unlabelled_rows.append(row)
    log.info("told: %d frames, %d intents alone", len(labelled), len(unlabelled))
    return replace(
        work,
        labelled=labelled,
        rows=labelled_rows,
        unlabelled=unlabelled,
        unlabelled_rows=unlabelled_rows,
        chances=chances,
    )
