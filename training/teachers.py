"""Several fine-tuned MiniLMs, and what they think of many sentences: the soft labels.

    train texts -> teacher 0..K-1 -> mean probabilities of the pool (gold + made + other texts)

Everything is cached under OUT/cache, so the large and the small model share the work.
"""

import logging
import random
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from broker.package.tokenize import WordPiece
from training import data, vocabulary
from training.augment import Augmenter
from training.encoder import Encoder, minilm
from training.fit import NO_LABEL, Recipe, Sheet, fit, probabilities, token_ids
from training.minilm import installed_minilm

TEACHERS = 5
POOL = 500_000  # made sentences
LENGTH = 48  # tokens; the longest training sentence has 40
EPOCHS = 5
_TWEETS = 600  # labelled out of scope beside the 100 that the set has
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Lesson:
    """What every training step of the commands models starts from."""

    examples: list[data.Example]
    labels: dict[str, list[str]]  # of each domain
    folder: Path  # MiniLM
    cache: Path
    source: Path

    @property
    def outputs(self) -> tuple[int, ...]:
        """Number of labels of each head, in the order of DOMAINS."""
        return tuple(len(self.labels[domain]) for domain in data.DOMAINS)

    def gold(self, examples: list[data.Example]) -> Tensor:
        """Give label numbers (N, heads)."""
        gold = torch.full((len(examples), len(data.DOMAINS)), NO_LABEL)
        place = {d: {name: n for n, name in enumerate(self.labels[d])} for d in data.DOMAINS}
        for row, example in enumerate(examples):
            gold[row, data.DOMAINS.index(example.domain)] = place[example.domain][example.label]
        return gold


@dataclass(frozen=True, slots=True)
class Pool:
    """Sentences with gold labels where there are some, and the teachers' probabilities."""

    texts: list[str]
    gold: Tensor
    soft: tuple[Tensor, ...]


def lesson(folder: Path, out: Path, minilm_folder: Path | None, *, select: bool) -> Lesson:
    """Read the training split; leave out the held-out texts while a design is chosen."""
    every = [e for domain in data.DOMAINS for e in data.labelled(folder, domain, "train")]
    labels = {d: data.labels_of([e for e in every if e.domain == d]) for d in data.DOMAINS}
    examples = [e for e in every if not (select and data.is_held_out(e))]
    cache = out / ("cache-select" if select else "cache")
    cache.mkdir(parents=True, exist_ok=True)
    return Lesson(examples, labels, minilm_folder or installed_minilm(), cache, folder)


def teacher(work: Lesson, number: int) -> Encoder:
    """Train one teacher, or load it from the cache."""
    encoder = minilm(work.folder, work.outputs, positions=LENGTH)
    path = work.cache / f"teacher-{number}.pt"
    if path.exists():
        encoder.load_state_dict(torch.load(path, weights_only=True, map_location="cpu"))
        return encoder
    log.info("teacher %d", number)
    examples = _teaching_examples(work, seed=number)
    tokenizer = WordPiece(vocabulary.read(work.folder), max_tokens=LENGTH)
    ids = token_ids(tokenizer, [e.text for e in examples], length=LENGTH)
    steps = EPOCHS * len(work.examples) // 32
    torch.manual_seed(number)
    fit(encoder, Sheet(ids, work.gold(examples)), Recipe(steps, 32, 1e-4, 2e-3, seed=number))
    torch.save(encoder.state_dict(), path)
    return encoder


def pool(work: Lesson, *, teachers: int, size: int) -> Pool:
    """Make the pool and label it by the mean of the teachers, or load it from the cache."""
    path = work.cache / "pool.pt"
    if path.exists():
        saved = torch.load(path, weights_only=False)
        return Pool(saved["texts"], saved["gold"], saved["soft"])
    full = vocabulary.read(work.folder)
    embedding = minilm(work.folder, work.outputs, positions=LENGTH).words.weight.detach()
    gold_texts = [e.text for e in work.examples]
    similar = vocabulary.similar_words(full, embedding, gold_texts)
    made = Augmenter(work.examples, similar=similar, seed=1).sentences(size)
    other = data.unlabelled(work.source)
    texts = gold_texts + made + other
    gold = torch.full((len(texts), len(work.outputs)), NO_LABEL)
    gold[: len(gold_texts)] = work.gold(work.examples)
    ids = token_ids(WordPiece(full, max_tokens=LENGTH), texts, length=LENGTH)
    sums = [torch.zeros(len(texts), count) for count in work.outputs]
    for number in range(teachers):
        log.info("labelling %d sentences with teacher %d", len(texts), number)
        found = probabilities(teacher(work, number), ids)
        sums = [total + part.float() / teachers for total, part in zip(sums, found, strict=True)]
    soft = tuple(total.half() for total in sums)
    torch.save({"texts": texts, "gold": gold, "soft": soft}, path)
    return Pool(texts, gold, soft)


def _teaching_examples(work: Lesson, *, seed: int) -> list[data.Example]:
    """Gold sentences, the same with other slot values, some masked, and tweets out of scope."""
    augmenter = Augmenter(work.examples, similar={}, seed=seed)
    chooser = random.Random(seed)  # noqa: S311
    home = [e for e in work.examples if e.domain == data.HOME]
    swapped = [data.Example(augmenter.swapped(e), e.domain, e.label) for e in home]
    chosen = chooser.sample(work.examples, len(work.examples) // 10)
    masked = [data.Example(augmenter.masked(e.text), e.domain, e.label) for e in chosen]
    tweets = chooser.sample(data.tweets(work.source), _TWEETS)
    outside = [data.Example(t, data.ASSISTANT, data.OUT_OF_SCOPE) for t in tweets]
    return work.examples + swapped + masked + outside
