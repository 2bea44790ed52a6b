"""Phrases that an operator lists, found in a text in one pass.

    "Blue  FALCON's" --words--> blue, falcon, ', s --looked up--> [0, 12) is "blue falcon"

A phrase is found as whole words, in any case, with any white space between them. Scripts that
write no spaces are read character by character. Looking takes time in proportion to the text,
however many phrases there are.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from agent.core.find.fold import fold

MAX_WORDS = 16  # of a phrase: what a place in the text may cost
# Thai, Lao, Burmese, Khmer; kana, Han, Hangul: their words have no visible ends.
_NO_SPACES = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_NO_SPACES += "\uf900-\ufaff\U00020000-\U0003ffff"


@cache  # compiled for those who have a list
def _word() -> re.Pattern[str]:
    return re.compile(rf"[^\W_{_NO_SPACES}]+|\S")


@dataclass(frozen=True, slots=True)
class Phrases:
    """A list of phrases, made ready to be looked for."""

    entries: frozenset[tuple[str, ...]] = frozenset()  # their words
    # A phrase's first word -> how many words such phrases have, most first.
    lengths: Mapping[str, tuple[int, ...]] | None = None

    def places(self, text: str) -> Iterator[tuple[int, int]]:
        """Find where a phrase stands: the longest of those that begin at a word."""
        if not self.lengths:
            return
        matches = list(_word().finditer(fold(text)))
        words = [match[0].casefold() for match in matches]
        for first, word in enumerate(words):
            for count in self.lengths.get(word, ()):
                past = first + count
                if past <= len(words) and tuple(words[first:past]) in self.entries:
                    yield matches[first].start(), matches[past - 1].end()
                    break


NO_PHRASES = Phrases()


def phrases(listed: Iterable[str]) -> Phrases:
    """Make a list ready.

    Raises:
        ValueError: A phrase has no word, or too many.
    """
    entries = {tuple(_words(phrase)) for phrase in listed}
    if any(not 1 <= len(words) <= MAX_WORDS for words in entries):
        raise ValueError(f"a phrase has 1 to {MAX_WORDS} words and marks")
    lengths: dict[str, set[int]] = {}
    for words in entries:
        lengths.setdefault(words[0], set()).add(len(words))
    ordered = {word: tuple(sorted(counts, reverse=True)) for word, counts in lengths.items()}
    return Phrases(frozenset(entries), ordered)


def _words(phrase: str) -> Iterator[str]:
    return (match[0].casefold() for match in _word().finditer(fold(phrase)))
