"""Which value has which name: a placeholder such as <EMAIL_1>, or a surrogate that looks like it.

    Past --names--> Pseudonyms --name(label, value)--> ... --past--> Past, with the new ones

Within a conversation the same value keeps its name, and different values never share one: a number
is given once. A name in `avoid` is given to nobody: the text holds it by itself.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

PLACEHOLDER = re.compile(r"<[A-Z][A-Z0-9_]{0,62}_[0-9]{1,9}>", re.ASCII | re.IGNORECASE)
FIELD = "FIELD"  # stands for a field's name that cannot be a label
_NOT_LABEL = re.compile(r"[^A-Z0-9]+")
_LABEL_CHARS = 32
_ATTEMPTS = 16  # at a surrogate that nobody has
_NOBODY: frozenset[str] = frozenset()


def is_placeholder(name: str) -> bool:
    """Tell a placeholder from a surrogate."""
    return PLACEHOLDER.fullmatch(name) is not None


def label_of(name: str) -> str:
    """Make a placeholder's label of a name: engine id -> ENGINE_ID."""
    label = _NOT_LABEL.sub("_", name.upper())[:_LABEL_CHARS].strip("_")
    return label if label[:1].isalpha() else f"{FIELD}_{label}".strip("_")


class Style(StrEnum):
    """What stands for personal data."""

    PLACEHOLDER = "placeholder"  # <EMAIL_1>
    SURROGATE = "surrogate"  # person7@example.org; a placeholder for what has no such form


@dataclass(frozen=True, slots=True)
class Pseudonym:
    """A value of a conversation, and its name."""

    label: str
    value: str = field(repr=False)
    name: str


@dataclass(frozen=True, slots=True)
class Past:
    """What a conversation has given so far."""

    given: tuple[Pseudonym, ...] = ()  # oldest first; of two for a value, the later one holds
    counts: Mapping[str, int] = field(default_factory=dict)  # label -> the last number given
    key: bytes = field(default=b"", repr=False)  # decides the surrogates

    def names(
        self, style: Style = Style.PLACEHOLDER, avoid: frozenset[str] = _NOBODY
    ) -> "Pseudonyms":
        """Begin to mask."""
        kept = [each for each in self.given if each.name not in avoid]
        return Pseudonyms(
            style,
            avoid,
            {each.name: each.value for each in kept},
            {(each.label, each.value): each.name for each in kept},
            dict(self.counts),
            self,
        )


NOTHING = Past()


@dataclass(slots=True)
class Pseudonyms:
    """The names of one payload, given while it is masked."""

    style: Style
    avoid: frozenset[str]
    originals: dict[str, str]  # name -> value, of the whole conversation
    _names: dict[tuple[str, str], str]
    _counts: dict[str, int]
    _before: Past
    _new: list[Pseudonym] = field(default_factory=list)
    _used: set[str] = field(default_factory=set)  # surrogates, in lower case

    def name(self, label: str, value: str, *, alone: bool = True) -> str:
        """Give a value its name; one that is not alone, as a word, could not be found as such."""
        as_surrogate = alone and self.style is Style.SURROGATE
        known = self._names.get((label, value))
        if known is not None and (as_surrogate or is_placeholder(known)):
            return known
        name = (self._surrogate(label, value) if as_surrogate else None) or self._fresh(label)
        self._names[label, value] = name
        self.originals[name] = value
        self._new.append(Pseudonym(label, value, name))
        return name

    def past(self) -> Past:
        """What the conversation has given by now."""
        if not self._new:
            return self._before
        return replace(self._before, given=(*self._before.given, *self._new), counts=self._counts)

    def _surrogate(self, label: str, value: str) -> str | None:
        # Few tasks want them, and they would take tens of milliseconds of every start.
        from agent.core.surrogates import MAKERS, surrogate  # noqa: PLC0415

        if label not in MAKERS:
            return None
        if not self._used:
            self._used |= {name.lower() for name in (*self.originals, *self.avoid)}
        for attempt in range(_ATTEMPTS):
            name = surrogate(label, value, key=self._before.key, attempt=attempt)
            low = (name or value).lower()
            if low not in self._used and low != value.lower():
                self._used.add(low)
                return name
        return None

    def _fresh(self, label: str) -> str:
        while True:
            number = self._counts[label] = self._counts.get(label, 0) + 1
            if (name := f"<{label}_{number}>") not in self.avoid:
                return name
