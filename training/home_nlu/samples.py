"""Training samples: token ids of prompts and answers, and what a teacher thinks of the intent.

<home> utterance <ask> {"intent": ... }} <end>      loss on the JSON
<home> utterance <ask>                              loss on the intent alone, by the teacher
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from training.home_nlu.frames import Frame
from training.home_nlu.tokens import ASK, PROMPTS, Encoder

IGNORED = -100  # PyTorch's label without a loss
_CHUNK = 48  # batches that are sorted by length together


@dataclass(frozen=True, slots=True)
class Sample:
    """One sequence; the answer is empty where only the teacher knows the intent."""

    prompt: list[int]
    answer: list[int]
    teacher: int  # row of the teacher's probabilities, or -1


@dataclass(frozen=True, slots=True)
class Batch:
    """Sequences of about the same length."""

    ids: Tensor  # (B, T) int64
    wanted: Tensor  # (B, T) bool: the N places whose next token is judged
    labels: Tensor  # (N,) int64, of these places; IGNORED where only the teacher judges
    intents: Tensor  # (I,) int64: which of the N are intents that a teacher knows
    rows: Tensor  # (I,) int64: the teacher's rows of these

    @property
    def places(self) -> Tensor:
        """The judged places (N,) of the flattened ids."""
        return self.wanted.flatten().nonzero()[:, 0]


def samples(frames: Sequence[Frame], encoder: Encoder, rows: Sequence[int]) -> list[Sample]:
    """Encode labelled frames; `rows` are their rows in the teacher's table, -1 for none."""
    prompts = prompted(frames, encoder)
    return [
        Sample(prompt, answer, row)
        for prompt, answer, row in zip(prompts, encoder.answers(frames), rows, strict=True)
    ]


def prompted(frames: Sequence[Frame], encoder: Encoder) -> list[list[int]]:
    """Encode the frames' utterances as the package's prompt has them."""
    ask = encoder.control(ASK)
    texts = encoder.texts([frame.text for frame in frames])
    return [
        [encoder.control(PROMPTS[frame.domain]), *ids, ask]
        for frame, ids in zip(frames, texts, strict=True)
    ]


def batches(every: Sequence[Sample], *, tokens: int, seed: int) -> Iterator[Batch]:
    """Yield batches of about `tokens` tokens for ever, every sample once in each round."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.tensor([len(each.prompt) + len(each.answer) for each in every])
    share = max(1, tokens * _CHUNK // int(lengths.float().mean()))
    while True:
        for chunk in torch.randperm(len(every), generator=generator).split(share):
            rows = chunk[lengths[chunk].argsort()].tolist()
            blocks, block = [], []
            for row in rows:
                if (len(block) + 1) * int(lengths[row]) > tokens:
                    blocks.append(block)
                    block = []
                block.append(row)
            blocks.append(block)
            for at in torch.randperm(len(blocks), generator=generator).tolist():
                yield _batch([every[row] for row in blocks[at]])


def _batch(some: Sequence[Sample]) -> Batch:
    length = max(len(each.prompt) + len(each.answer) for each in some)
    ids = torch.zeros(len(some), length, dtype=torch.int64)
    targets = torch.full((len(some), length), IGNORED)
    wanted = torch.zeros(len(some), length, dtype=torch.bool)
    teachers = torch.full((len(some), length), -1)
    for row, each in enumerate(some):
        start, end = len(each.prompt) - 1, len(each.prompt) + len(each.answer) - 1
        ids[row, : end + 1] = torch.tensor(each.prompt + each.answer)
        targets[row, start:end] = torch.tensor(each.answer)
        wanted[row, start : max(end, start + 1)] = True
        teachers[row, start] = each.teacher
    teachers = teachers[wanted]
    (intents,) = (teachers >= 0).nonzero(as_tuple=True)
    return Batch(ids, wanted, targets[wanted], intents, teachers[intents])
