"""A record's field by its name: which rule it has, and what it may be made coarser to.

    rules    "patient" drop   "patient.age" generalize   "*_email" drop
    names    patient.age -> generalize   patient.name -> drop   work_email -> drop

The name itself counts before what it lies in, a written name before a pattern, and of several
patterns the safest. Upper and lower case are the same.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from agent.core.generalize import coarse_number, generalize
from agent.core.policy import FieldRule, MaskRules

_SAFEST = tuple(FieldRule)  # the later, the safer
_WORD = re.compile(r"[^\W\d_]+")
_WRITTEN = {
    "AGE": "age",
    "DATE": "date day dob birthdate birthday born timestamp datetime",
    "GPS": "lat latitude lon lng longitude",
    "IP": "ip",
    "POSTCODE": "zip zipcode postcode postal plz",
    "TIME": "time",
}
_TYPES = {word: label for label, words in _WRITTEN.items() for word in words.split()}
_OLD = 90.0  # 45 CFR 164.514(b)(2)(i)(C): ages over 89 are one category


@dataclass(slots=True)
class FieldRules:
    """The rules of one task, while one record is masked."""

    rules: MaskRules
    _known: dict[str, FieldRule | None] = field(default_factory=dict)
    _exact: dict[str, FieldRule] = field(init=False)
    _patterns: list[tuple[list[str], FieldRule]] = field(init=False)  # split at each *

    def __post_init__(self) -> None:
        named = self.rules.fields.items()
        self._exact = {name.casefold(): rule for name, rule in named if "*" not in name}
        self._patterns = [(name.casefold().split("*"), rule) for name, rule in named if "*" in name]

    def of(self, name: str) -> FieldRule:
        """What becomes of this field."""
        path = name.casefold()
        while path:
            if (rule := self._for(path)) is not None:
                return rule
            path = path.rpartition(".")[0]
        return self.rules.default

    def _for(self, path: str) -> FieldRule | None:
        if path not in self._known:
            found = [rule for pieces, rule in self._patterns if _fits(path, pieces)]
            self._known[path] = self._exact.get(path) or max(found, key=_SAFEST.index, default=None)
        return self._known[path]


def _fits(path: str, pieces: Sequence[str]) -> bool:
    """Compare with a pattern; no pattern and no path can make this slow."""
    first, *middle, last = pieces
    place, end = len(first), len(path) - len(last)
    if place > end or not (path.startswith(first) and path.endswith(last)):
        return False
    for piece in middle:
        place = path.find(piece, place, end)
        if place < 0:
            return False
        place += len(piece)
    return True


def coarse_field(name: str, value: float | str, label: str = "") -> float | str | None:
    """Make a field's value coarser, by its name or else as what `label` says that it is."""
    of_name = type_of(name)
    if isinstance(value, str):
        coarser = generalize(of_name, value.strip()) if of_name else None
        return coarser or (generalize(label, value.strip()) if label else None)
    match of_name:
        case "GPS":
            return round(value, 1)
        case "AGE":
            return min(coarse_number(value), _OLD)
        case _:
            return coarse_number(value)


def type_of(name: str) -> str:
    """Tell by a field's name what its value is; empty: it does not say."""
    labels = [_TYPES[word] for word in _WORD.findall(name.lower()) if word in _TYPES]
    return labels[-1] if labels else ""


def in_words(name: str) -> str:
    """Write a field's name as finders know words: patient.phone_no -> patient phone no."""
    return " ".join(re.findall(r"[^\W_]+", name))
