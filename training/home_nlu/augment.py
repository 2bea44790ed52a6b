"""More frames from the training frames: other values, placeholders, slips, other letters.

A value that a model has only copied can be any text, so values also come from name lists, from
other slots and from plain words; the model learns where a value stands, not which ones exist.
"""

import csv
import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from training.augment import CARRIERS, PLACEHOLDERS
from training.home_nlu.frames import HOME, Frame, Part

_OPEN = 0.4  # a slot with so many different values for its occurrences can take any text
_EMAIL_SLOT = "email_address"


def names(data: Path) -> list[str]:
    """Read names of people and places."""
    found: list[str] = []
    for name in ("first-names.txt", "names.txt", "places.txt"):
        path = data / "pii" / "random-name" / name
        found += path.read_text(encoding="utf-8", errors="replace").split("\n")
    with (data / "pii" / "world-cities" / "world-cities.csv").open(encoding="utf-8") as file:
        found += [row["name"] for row in csv.DictReader(file)]
    return [name.strip() for name in found if name.strip()]


class FrameAugmenter:
    """Makes frames like those of its examples; reproducible from its seed."""

    def __init__(self, frames: Sequence[Frame], *, strange: Sequence[str], seed: int) -> None:
        """Collect every slot's values; `strange` are values from outside the data."""
        self._random = random.Random(seed)  # noqa: S311
        self._strange = list(strange)
        values: dict[tuple[str, str], list[str]] = defaultdict(list)
        for frame in frames:
            for slot, value in frame.slots:
                values[frame.domain, slot].append(value)
        self._values = {key: sorted(set(found)) for key, found in values.items()}
        self._open = {k for k, v in values.items() if len(set(v)) > max(8, _OPEN * len(v))}
        self._words = sorted({w for f in frames for w in f.text.split() if w.isalpha()})

    def frame(self, example: Frame) -> Frame:
        """Make one frame near an example."""
        chance = self._random.random
        parts = tuple(self._part(example.domain, part) for part in example.parts)
        if chance() < 0.12:
            parts = self._slipped(parts)
        if chance() < 0.03:
            parts = self._with_placeholder(example.domain, parts)
        if example.domain == HOME and chance() < 0.08:
            parts = _written(parts, self._random.choice(("", ".", "?", "!")))
        elif example.domain != HOME and chance() < 0.12:
            parts = tuple(Part(part.slot, part.text.lower()) for part in parts)
        return Frame(example.domain, example.intent, parts)

    def _part(self, domain: str, part: Part) -> Part:
        if not part.slot or self._random.random() < 0.35:
            return part
        if part.slot == _EMAIL_SLOT and self._random.random() < 0.5:
            return Part(part.slot, self._placeholder("EMAIL"))
        if (domain, part.slot) in self._open:
            kind = self._random.random()
            if kind < 0.05:
                return Part(part.slot, self._placeholder(self._random.choice(PLACEHOLDERS)))
            if kind < 0.35:
                return Part(part.slot, self._strange_value(domain))
            if kind < 0.37:
                return Part(part.slot, self._quoted(part.text))
        return Part(part.slot, self._random.choice(self._values[domain, part.slot]))

    def _strange_value(self, domain: str) -> str:
        kind = self._random.random()
        if kind < 0.3:
            value = self._random.choice(self._values[self._random.choice(sorted(self._open))])
        else:
            source = self._strange if kind < 0.7 else self._words
            value = " ".join(self._random.choices(source, k=self._random.choice((1, 1, 2, 2, 3))))
        if domain == HOME:
            return value.lower()
        return value.title() if self._random.random() < 0.4 else value

    def _quoted(self, value: str) -> str:
        first, space, rest = value.partition(" ")
        return f'{first} "{rest}"' if space else f'"{first}"'

    def _placeholder(self, kind: str) -> str:
        return f"<{kind}_{self._random.choice((1, 1, 1, 2, 2, 3, 4))}>"

    def _with_placeholder(self, domain: str, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        kind = self._random.choice(PLACEHOLDERS)
        before, after = self._random.choice(CARRIERS[kind]).split("{}")
        slot = _EMAIL_SLOT if kind == "EMAIL" and domain == HOME else ""
        added = (Part("", f" {before}"), Part(slot, self._placeholder(kind)), Part("", after))
        return (*parts, *(part for part in added if part.text))

    def _slipped(self, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        """Lose, double or misspell one word that belongs to no value."""
        places = [n for n, part in enumerate(parts) if not part.slot and len(part.text.split()) > 1]
        if not places:
            return parts
        at = self._random.choice(places)
        words = parts[at].text.split(" ")
        word = self._random.choice([n for n, text in enumerate(words) if text])
        kind, letter = self._random.randrange(3), self._random.randrange(len(words[word]))
        if kind == 0:
            words[word] = words[word][:letter] + words[word][letter + 1 :]
        elif kind == 1:
            words.insert(word, words[word])
        else:
            words[word] = self._random.choice(self._words)
        return (*parts[:at], Part("", " ".join(words)), *parts[at + 1 :])


def _written(parts: tuple[Part, ...], end: str) -> tuple[Part, ...]:
    """Write a spoken command as a person types it: a capital first, a mark last."""
    first = Part(parts[0].slot, parts[0].text[:1].upper() + parts[0].text[1:])
    return (first, *parts[1:], *([Part("", end)] if end else []))
