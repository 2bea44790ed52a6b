"""Answer with placeholders + vault -> answer with the originals in it.

    restore          a whole text
    restore_answer   a whole answer: one that is JSON stays JSON
    Restorer         a text that comes in pieces, cut anywhere; the same result

What was put back is never searched again. What reads as a placeholder and is none of the vault's
stays visible and is counted.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from agent.core.pseudonyms import is_placeholder
from agent.core.reading import Reader
from agent.stages import Vault

_JSON_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_CONTEXT = 2  # characters before a word that tell whether it is one


@dataclass(frozen=True, slots=True)
class Restored:
    """An answer with the originals in it. Personal."""

    text: str = field(repr=False)
    restored: int  # placeholders replaced
    unknown: int  # placeholders that the vault does not know; they stay visible

    @property
    def flags(self) -> tuple[str, ...]:
        """What the reader of the answer must know."""
        return (f"unknown placeholders: {self.unknown}",) if self.unknown else ()


class Restorer:
    """Restores a text that comes in pieces, holding back what may still become a name."""

    def __init__(self, vault: Vault) -> None:
        self._originals = vault.originals
        self._reader = Reader(vault.originals)
        self._text = ""
        self._at = 0  # what is before has been told
        self.restored = 0
        self.unknown = 0

    def feed(self, piece: str) -> str:
        """Take a piece; return what can be told by now."""
        return self._told(piece, whole=False)

    def finish(self) -> str:
        """Return the rest: no more will come."""
        return self._told("", whole=True)

    def _told(self, piece: str, *, whole: bool) -> str:
        text, at = self._text + piece, self._at
        told: list[str] = []
        for found in self._reader.read(text, at, whole=whole):
            if isinstance(found, int):
                told.append(text[at:found])
                at = found
                break
            original = self._originals.get(found.name)
            self.restored += original is not None
            self.unknown += original is None and found.sure
            shown = text[found.start : found.end] if original is None else original
            told += [text[at : found.start], shown]
            at = found.end
        kept = max(0, at - _CONTEXT)
        self._text, self._at = text[kept:], at - kept
        return "".join(told)


def restore(answer: str, vault: Vault) -> Restored:
    """Put the originals back, as they were written."""
    restorer = Restorer(vault)
    text = restorer.feed(answer) + restorer.finish()
    return Restored(text, restorer.restored, restorer.unknown)


def restore_answer(answer: str, vault: Vault) -> Restored:
    """Put the originals back; into JSON as JSON writes them."""
    if not _is_json(answer):
        return restore(answer, vault)
    restored = unknown = 0

    def string(match: re.Match[str]) -> str:
        nonlocal restored, unknown
        inner = restore(json.loads(match[0]), vault)
        restored += inner.restored
        unknown += inner.unknown
        return json.dumps(inner.text, ensure_ascii=False) if inner.restored else match[0]

    text = _JSON_STRING.sub(string, answer)
    return Restored(text, restored, unknown)


def strays(
    masked: Iterable[str], given: Iterable[str], originals: Mapping[str, str]
) -> frozenset[str]:
    """Tell the names that masked texts do not hold exactly where they were given.

    None if no original would take the place of another text. A surrogate that is somebody's value
    is among them.
    """
    if not originals:
        return frozenset()
    reader = Reader(originals)
    found = Counter[str]()
    for text in masked:
        for reading in reader.read(text, 0, whole=True):
            if not isinstance(reading, int):
                found[reading.name] += 1
    found.subtract(given)
    astray = {name for name, count in found.items() if count}
    values = {value.lower() for value in originals.values()}
    astray |= {name for name in originals if name.lower() in values and not is_placeholder(name)}
    return frozenset() if astray.isdisjoint(originals) else frozenset(astray)


def _is_json(answer: str) -> bool:
    if not answer.lstrip().startswith(("{", "[", '"')):
        return False
    try:
        json.loads(answer)
    except (ValueError, RecursionError):
        return False
    return True
