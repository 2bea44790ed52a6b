"""What both commands start from: arguments, frames, vocabulary and pool."""

import argparse
import logging
from dataclasses import dataclass
from pathlib import Path

import torch

from training import data
from training.home_nlu import frames, pool, verify
from training.home_nlu.fit import Teacher
from training.home_nlu.frames import Frame
from training.home_nlu.pool import Pool
from training.home_nlu.samples import Sample, prompted, samples
from training.home_nlu.tokens import Encoder, Vocabulary, learn
from training.minilm import installed_minilm

DROPOUT = 0.1
TOKENS = 2_048  # of a batch
_PIECES = 4_000


@dataclass(frozen=True, slots=True)
class Course:
    """Everything to learn from, and to be judged on."""

    source: Path
    minilm: Path
    cache: Path
    training: list[Frame]
    judged: list[Frame]
    known: Vocabulary
    pool: Pool

    @property
    def start(self) -> Path:
        """The file of the model that home-nlu-large is made of."""
        return self.cache / "home-nlu-start.gguf"

    def seen(self) -> list[str]:
        """List the texts that llama.cpp must cut as training does."""
        every = (*self.judged, *self.pool.labelled, *self.pool.unlabelled)
        return verify.texts(every, self.source)


def arguments(description: str) -> argparse.ArgumentParser:
    """Build the parser that both commands share."""
    parser = data.arguments(description)
    parser.add_argument("--minilm", type=Path, help="model folder; default: the installed package")
    parser.add_argument(
        "--teacher", type=Path, default=Path("firmware_configs/models/commands-large")
    )
    return parser


def course(given: argparse.Namespace) -> Course:
    """Read the data, learn the vocabulary and make the pool, or load it."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    source, cache = Path(given.data), given.out / "cache"
    folder = given.minilm or installed_minilm()
    training, judged = frames.read(source)
    work = pool.made(training, source, folder, given.teacher, cache=cache)
    return Course(source, folder, cache, training, judged, vocabulary(training, source), work)


def vocabulary(training: list[Frame], source: Path) -> Vocabulary:
    """Learn the vocabulary from the training frames, twice as weighty, and plain English."""
    english = data.unlabelled(source)
    english += [e.text for e in data.labelled(source, data.ASSISTANT, "train")]
    return learn([frame.text for frame in training] * 2 + english, training, size=_PIECES)


def sheet(work: Pool, encoder: Encoder) -> list[Sample]:
    """Encode a pool; its labelled frames come first."""
    unlabelled = prompted(work.unlabelled, encoder)
    return [
        *samples(work.labelled, encoder, work.rows),
        *(Sample(p, [], row) for p, row in zip(unlabelled, work.unlabelled_rows, strict=True)),
    ]


def teacher(work: Pool, encoder: Encoder) -> Teacher:
    """Give what commands-large thinks of the pool's intents."""
    return Teacher(torch.tensor([encoder.intent(name) for name in work.labels]), work.chances)
