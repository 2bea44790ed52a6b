"""Text to token ids: BERT's uncased WordPiece, in the standard library alone.

A board has neither torch nor transformers. `training/verify_tokenizer.py` compares every text
of the training data with the `tokenizers` package; at run time only this file is used.

    "Wake me at 7" -> wake, me, at, 7 -> [CLS] 12 34 56 78 [SEP]
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

MAX_WORD_CHARACTERS: Final = 100  # BERT's own limit: a longer word is unknown
_CONTINUES: Final = "##"
_ASCII_PIECES: Final = re.compile(r"[a-z0-9]+|[!-/:-@\[-`{-~]")
_ASCII_CONTROLS: Final = {code: None for code in (*range(32), 127) if chr(code) not in "\t\n\r"}
# Blocks that BERT splits into single characters: CJK ideographs, not kana or hangul.
_IDEOGRAPHS: Final = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B920, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


@dataclass(frozen=True, slots=True)
class Tokens:
    """Ids of one text, with [CLS] first and [SEP] last."""

    ids: tuple[int, ...]
    truncated: bool  # the text had more tokens than the model takes


class WordPiece:
    """Greedy longest-match-first WordPiece over a fixed vocabulary.

    A literal "[SEP]" in a text is three ordinary pieces, never the special token, so that no
    text can end its own sentence.
    """

    __slots__ = ("_begin", "_end", "_ids", "_limit", "_unknown", "padding")

    def __init__(self, vocabulary: Sequence[str], *, max_tokens: int) -> None:
        """Take the vocabulary in the order of its ids.

        Raises:
            ValueError: a special token is missing, or there is no room for a word.

        """
        self._ids = {piece: number for number, piece in enumerate(vocabulary)}
        missing = [name for name in ("[CLS]", "[SEP]", "[UNK]") if name not in self._ids]
        if missing:
            message = f"the vocabulary has no {', '.join(missing)}"
            raise ValueError(message)
        if max_tokens < 3:  # noqa: PLR2004  ([CLS], one piece, [SEP])
            message = f"max_tokens is {max_tokens}, but [CLS], one piece and [SEP] need 3"
            raise ValueError(message)
        self._begin, self._end = self._ids["[CLS]"], self._ids["[SEP]"]
        self._unknown = self._ids["[UNK]"]
        self._limit = max_tokens
        self.padding = self._ids.get("[PAD]", 0)

    def encode(self, text: str) -> Tokens:
        """Cut a text into at most `max_tokens` ids."""
        room = self._limit - 2
        ids: list[int] = []
        for word in words(text):
            ids.extend(self._pieces(word))
            if len(ids) > room:
                return Tokens((self._begin, *ids[:room], self._end), truncated=True)
        return Tokens((self._begin, *ids, self._end), truncated=False)

    def _pieces(self, word: str) -> list[int]:
        known = self._ids
        whole = known.get(word)
        if whole is not None:
            return [whole]
        if len(word) > MAX_WORD_CHARACTERS:
            return [self._unknown]
        pieces: list[int] = []
        start, length = 0, len(word)
        while start < length:
            prefix = _CONTINUES if start else ""
            end = length
            while end > start and prefix + word[start:end] not in known:
                end -= 1
            if end == start:
                return [self._unknown]
            pieces.append(known[prefix + word[start:end]])
            start = end
        return pieces


def words(text: str) -> list[str]:
    """Split a text into lower-case words without accents, and single punctuation marks."""
    if text.isascii():
        return _ASCII_PIECES.findall(text.translate(_ASCII_CONTROLS).lower())
    return "".join(_split_marks(_plain(text))).split()


def _plain(text: str) -> str:
    kept = "".join(_spaced(character) for character in text)
    bare = (c for c in unicodedata.normalize("NFD", kept) if unicodedata.category(c) != "Mn")
    # One character at a time: str.lower() of a whole word treats a final sigma differently.
    return "".join(c.lower() for c in bare)


def _spaced(character: str) -> str:
    if character in "\t\n\r":
        return " "
    if character == "\ufffd" or unicodedata.category(character) in ("Cc", "Cf", "Cn", "Co"):
        return ""
    code = ord(character)
    if any(low <= code <= high for low, high in _IDEOGRAPHS):
        return f" {character} "
    return " " if character.isspace() else character


def _split_marks(text: str) -> Iterator[str]:
    for character in text:
        yield f" {character} " if _is_mark(character) else character


def _is_mark(character: str) -> bool:
    if character.isascii():
        return character.isprintable() and not character.isalnum() and character != " "
    return unicodedata.category(character).startswith("P")
