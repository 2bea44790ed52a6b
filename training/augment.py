"""New sentences from training sentences, for a teacher to label: the student's real diet.

Four kinds, mixed: other slot values, a walk through one intent's word pairs, small slips
(lost, doubled or misspelt words), and the masking placeholders that a device's models see.
"""

import random
from collections import defaultdict

from training.data import Example, fill, slots

PLACEHOLDERS = ("EMAIL", "PHONE", "CARD", "IBAN", "IP", "MAC")
CARRIERS = {
    "EMAIL": ("to {}", "from {}", "for {}", "my address is {}", "at {}"),
    "PHONE": ("call {}", "at {}", "my number is {}", "to {}", "on {}"),
    "CARD": ("my card is {}", "with card {}", "for card {}", "ending in {}"),
    "IBAN": ("to account {}", "from {}", "my account is {}"),
    "IP": ("at {}", "on {}", "for {}"),
    "MAC": ("on device {}", "for {}", "at {}"),
}
_SLOT_PLACEHOLDERS = {"email_address": "EMAIL"}
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_WALK_LIMIT = 24  # words
_END = ""


class Augmenter:
    """Makes sentences like those of its examples; reproducible from its seed."""

    def __init__(
        self, examples: list[Example], *, similar: dict[str, list[str]], seed: int
    ) -> None:
        """Collect slot values and, per intent, which word follows which pair of words.

        `similar` lists, for a word, the words that MiniLM's own embedding has nearest to it.
        """
        self._random = random.Random(seed)  # noqa: S311
        self._similar = similar
        self._examples = examples
        self._values: dict[str, list[str]] = defaultdict(list)
        self._next: dict[tuple[str, str], dict[tuple[str, str], list[str]]] = {}
        self._words = [word for example in examples for word in example.text.split()]
        for example in examples:
            for slot, value in slots(example.annotation):
                self._values[slot].append(value)
            self._learn_walk(example)

    def sentences(self, count: int) -> list[str]:
        """Make `count` sentences; some repeat, which does no harm."""
        return [self.sentence(self._random.choice(self._examples)) for _ in range(count)]

    def sentence(self, example: Example) -> str:
        """Make one sentence near an example."""
        chance = self._random.random()
        if chance < 0.35:
            text = self._walk(example)
        elif chance < 0.6:
            text = self.swapped(example)
        elif chance < 0.7:
            text = self._spliced(example)
        else:
            text = example.text
        for _ in range(self._random.choice((0, 0, 1, 1, 2))):
            text = self._slip(text)
        return self.masked(text) if self._random.random() < 0.05 else text

    def swapped(self, example: Example) -> str:
        """Put other values of the same slots into an annotated sentence."""
        pairs = slots(example.annotation)
        if not pairs:
            return example.text
        value_of = {slot: self._random.choice(self._values[slot]) for slot, _ in pairs}
        for slot, kind in _SLOT_PLACEHOLDERS.items():
            if slot in value_of and self._random.random() < 0.5:
                value_of[slot] = self._placeholder(kind)
        return fill(example.annotation, value_of)

    def masked(self, text: str) -> str:
        """Add a placeholder phrase where a person would have put an address or a number."""
        kind = self._random.choice(PLACEHOLDERS)
        phrase = self._random.choice(CARRIERS[kind]).format(self._placeholder(kind))
        return f"{text} {phrase}" if self._random.random() < 0.8 else f"{phrase} {text}"

    def _placeholder(self, kind: str) -> str:
        return f"<{kind}_{self._random.choice((1, 1, 1, 2, 3))}>"

    def _learn_walk(self, example: Example) -> None:
        follows = self._next.setdefault((example.domain, example.label), defaultdict(list))
        first, second = _END, _END
        for word in (*example.text.split(), _END):
            follows[first, second].append(word)
            first, second = second, word

    def _walk(self, example: Example) -> str:
        follows = self._next[example.domain, example.label]
        words: list[str] = []
        first, second = _END, _END
        while len(words) < _WALK_LIMIT:
            word = self._random.choice(follows[first, second])
            if word == _END:
                break
            words.append(word)
            first, second = second, word
        return " ".join(words)

    def _spliced(self, example: Example) -> str:
        other = self._random.choice(self._examples).text.split()
        mine = example.text.split()
        cut = self._random.randint(0, len(other))
        return " ".join((*mine, *other[cut:])[:_WALK_LIMIT])

    def _slip(self, text: str) -> str:
        words = text.split()
        if len(words) < 2:
            return text
        at = self._random.randrange(len(words))
        kind = self._random.randrange(5)
        if kind == 0:
            del words[at]
        elif kind == 1:
            words[at] = self._other(words[at])
        elif kind == 2:
            words[at] = self._misspelt(words[at])
        elif kind == 3:
            words.insert(at, self._random.choice(self._words))
        else:
            to = max(0, at - 1)
            words[at], words[to] = words[to], words[at]
        return " ".join(words)

    def _other(self, word: str) -> str:
        near = self._similar.get(word)
        return self._random.choice(near if near and self._random.random() < 0.8 else self._words)

    def _misspelt(self, word: str) -> str:
        at = self._random.randrange(len(word))
        letter = self._random.choice(("", self._random.choice(_LETTERS), word[at] * 2))
        return word[:at] + letter + word[at + 1 :]
