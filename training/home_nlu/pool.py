"""The training pool, and what `commands-large` thinks of its home sentences; cached under OUT.

    training frames + frames made of them (augment.py)          -> JSON and intent
    sentences made of them + sentences of other sets, unlabelled -> intent alone, by the teacher
"""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from broker.package.onnx import OnnxClassifier
from broker.wire.payload import Text
from training import data, vocabulary
from training.augment import Augmenter
from training.encoder import minilm
from training.home_nlu.augment import FrameAugmenter, names
from training.home_nlu.frames import HOME, Frame, Part

_HEAD = "home"  # of the teacher
_LOG_EVERY = 20_000  # sentences
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pool:
    """Frames to learn from, and the teacher's table."""

    labelled: list[Frame]
    rows: list[int]  # of each labelled frame, in `chances`; -1 where the teacher knows nothing
    unlabelled: list[Frame]  # without intent; their rows follow
    labels: list[str]  # the teacher's
    chances: Tensor  # (N, L) float16


def made(
    training: list[Frame], source: Path, minilm_folder: Path, *, rounds: int, sentences: int
) -> tuple[list[Frame], list[Frame]]:
    """Make (labelled, unlabelled) frames: `rounds` of each training frame, and home sentences."""
    maker = FrameAugmenter(training, strange=names(source), seed=1)
    labelled = training + [maker.frame(frame) for _ in range(rounds) for frame in training]
    examples = data.labelled(source, data.HOME, "train")
    full = vocabulary.read(minilm_folder)
    embedding = minilm(minilm_folder, (1,), positions=8).words.weight.detach()
    similar = vocabulary.similar_words(full, embedding, [e.text for e in examples])
    texts = Augmenter(examples, similar=similar, seed=2).sentences(sentences)
    texts += [e.text for e in data.labelled(source, data.ASSISTANT, "train")]
    texts = sorted({text for text in texts if text})
    return labelled, [Frame(HOME, "", (Part("", text),)) for text in texts]


def judged(labelled: list[Frame], unlabelled: list[Frame], teacher: Path) -> Pool:
    """Ask the teacher about every home sentence once."""
    model = OnnxClassifier(teacher, threads=1)
    home = {frame.text: 0 for frame in (*labelled, *unlabelled) if frame.domain == HOME}
    chances = np.empty((len(home), len(model.manifest.head(_HEAD).labels)), dtype=np.float16)
    for row, text in enumerate(home):
        home[text] = row
        chances[row] = model.probabilities(Text(text), _HEAD)
        if row % _LOG_EVERY == 0:
            log.info("teacher: %d of %d sentences", row, len(home))
    rows = [home[frame.text] if frame.domain == HOME else -1 for frame in labelled]
    return Pool(
        labelled,
        rows,
        unlabelled,
        list(model.manifest.head(_HEAD).labels),
        torch.from_numpy(chances[[*range(len(home))]]),
    )
