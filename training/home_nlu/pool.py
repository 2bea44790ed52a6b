"""The training pool, and what `commands-large` thinks of its home sentences; cached under OUT.

training frames + frames made of them (augment.py)           -> JSON and intent
sentences made of them + sentences of other sets, unlabelled -> intent alone, by the teacher
"""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from broker.package.manifest import load_manifest
from broker.package.onnx import OnnxModel
from broker.wire.payload import Text
from training import data, vocabulary
from training.augment import Augmenter
from training.encoder import minilm
from training.home_nlu.augment import FrameAugmenter, names
from training.home_nlu.frames import HOME, Frame, Part

_HEAD = "home"  # of the teacher
_ROUNDS = {True: 6, False: 2}  # frames made of each home frame, and of each other
_SENTENCES = 60_000  # made ones, unlabelled
_LOG_EVERY = 20_000  # sentences
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pool:
    """Frames to learn from, and the teacher's table."""

    labelled: list[Frame]
    rows: list[int]  # of each labelled frame, in `chances`; -1 where the teacher knows nothing
    unlabelled: list[Frame]  # without intent
    unlabelled_rows: list[int]
    labels: list[str]  # the teacher's
    chances: Tensor  # (N, L) float16


def made(
    training: list[Frame], source: Path, minilm_folder: Path, teacher: Path, *, cache: Path
) -> Pool:
    """Make the pool and ask the teacher about every home sentence once, or load it."""
    path = cache / "home-nlu-pool.pt"
    if path.exists():
        found = torch.load(path, weights_only=False)
        assert isinstance(found, Pool)  # noqa: S101 # our own cache
        return found
    found = _judged(_labelled(training, source), _unlabelled(source, minilm_folder), teacher)
    cache.mkdir(parents=True, exist_ok=True)
    torch.save(found, path)
    return found


def _labelled(training: list[Frame], source: Path) -> list[Frame]:
    """Give the training frames and those made of them."""
    maker = FrameAugmenter(training, strange=names(source), seed=1)
    most = range(max(_ROUNDS.values()))
    return training + [
        maker.frame(frame)
        for number in most
        for frame in training
        if number < _ROUNDS[frame.domain == HOME]
    ]


def _unlabelled(source: Path, minilm_folder: Path) -> list[Frame]:
    """Give home sentences of unknown slots."""
    examples = data.labelled(source, data.HOME, "train")
    full = vocabulary.read(minilm_folder)
    embedding = minilm(minilm_folder, (1,), positions=8).words.weight.detach()
    similar = vocabulary.similar_words(full, embedding, [e.text for e in examples])
    texts = Augmenter(examples, similar=similar, seed=2).sentences(_SENTENCES)
    texts += [e.text for e in data.labelled(source, data.ASSISTANT, "train")]
    return [Frame(HOME, "", (Part("", text),)) for text in sorted({t for t in texts if t})]


def _judged(labelled: list[Frame], unlabelled: list[Frame], teacher: Path) -> Pool:
    model = OnnxModel(load_manifest(teacher))
    labels = list(model.manifest.head(_HEAD).labels)
    every = (*labelled, *unlabelled)
    texts = list(dict.fromkeys(frame.text for frame in every if frame.domain == HOME))
    chances = np.empty((len(texts), len(labels)), dtype=np.float16)
    for row, text in enumerate(texts):
        chances[row] = model.probabilities(Text(text), _HEAD)
        if row % _LOG_EVERY == 0:
            log.info("teacher: %d of %d sentences", row, len(texts))
    place = {text: row for row, text in enumerate(texts)}
    rows = [place[frame.text] if frame.domain == HOME else -1 for frame in every]
    known = len(labelled)
    table = torch.from_numpy(chances)
    return Pool(labelled, rows[:known], unlabelled, rows[known:], labels, table)
