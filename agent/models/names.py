"""Names of people, places and organisations in a text: a linear-chain CRF beside a lexicon.

    FOLDER/names.toml + model.crf + lexicon.bin -> Names

    text -> pieces of at most 1,000 characters -> words -> rows of attributes -> labels -> spans

It runs in the resident process (../README.md says why). A further language is a further folder.
The only module that imports pycrfsuite.
"""

import hashlib
import re
import tomllib
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from agent.core.find.features import Reader, Told, rows
from agent.core.find.lexicon import Lexicon, LexiconError
from agent.core.find.tokens import cut
from agent.stages import Span

if TYPE_CHECKING:
    from pycrfsuite import Tagger

DESCRIPTION = "names.toml"
_MODEL, _LEXICON = "model.crf", "lexicon.bin"
_OUTSIDE = "O"
_PIECE_CHARS = 1000  # read at once: bounds memory, and keeps the time in proportion to the text
# A word that the likeliest reading leaves out is masked all the same from this chance on: what is
# missed leaves the board, what is masked needlessly comes back.
_SUSPECTED = 0.35
_LETTER = re.compile(r"[^\W\d_]")
_REMEMBERED = 2048  # pieces that read alike but for their numbers; 1 MB
_SHORT = 128  # words; longer pieces hardly come again
# A line as machines write them, long and full of digits: it says nothing of the lines around it.
_RECORD = re.compile(r"^(?=(?:[^\n0-9]*[0-9]){10})[^\n]{40}", re.MULTILINE)


Named = tuple[int, int, str, float]  # the words [first, last) of a name, its label, its chance


class NamesError(Exception):
    """A folder of names cannot be used; the message says what to do."""


class Names:
    """Finds names, as one language's folder knows them.

    Raises:
        NamesError: the folder is not complete, not intact, or the library is missing.
    """

    def __init__(self, folder: Path) -> None:
        files = _hashes(folder)
        self._model = _intact(folder, _MODEL, files)  # the tagger reads it as long as it lives
        self._tagger = _tagger(folder, self._model)
        self._inside: list[str] = [label for label in self._tagger.labels() if label != _OUTSIDE]
        try:
            self._reader = Reader(Lexicon(_intact(folder, _LEXICON, files)))
        except LexiconError as error:
            raise NamesError(f"{folder / _LEXICON}: {error}") from error
        self._rule = f"names {folder.name}"
        self._read: dict[tuple[int, ...], tuple[Named, ...]] = {}  # machines repeat themselves

    def __call__(self, text: str) -> list[Span]:
        """Find names: sorted spans that do not overlap."""
        if not _LETTER.search(text):
            return []
        if len(text) <= _PIECE_CHARS and not _RECORD.search(text, 1):
            return self._find(text, 0)
        return [span for start, end in _pieces(text) for span in self._find(text[start:end], start)]

    def _find(self, piece: str, offset: int) -> list[Span]:
        told = self._reader.read(piece)
        key = tuple([word.number for word in told])
        named = self._read.get(key)
        if named is None:
            named = self._tag(told) if told else ()
            if len(key) <= _SHORT:
                if len(self._read) >= _REMEMBERED:
                    self._read.clear()
                self._read[key] = named
        if not named:
            return []
        places = cut(piece)
        return [
            Span(
                offset + places.starts[first],
                offset + places.ends[last - 1],
                label,
                score,
                self._rule,
            )
            for first, last, label, score in named
        ]

    def _tag(self, told: list[Told]) -> tuple[Named, ...]:
        tagger = self._tagger
        tagger.set(rows(told))
        labels = tagger.tag()
        chances = [1.0 - tagger.marginal(_OUTSIDE, place) for place in range(len(labels))]
        for place, label in enumerate(labels):
            if label == _OUTSIDE and chances[place] >= _SUSPECTED:
                labels[place] = self._likeliest(place)
        return tuple(
            (first, last, labels[first][2:], min(chances[first:last]))
            for first, last in spans(labels)
        )

    def _likeliest(self, place: int) -> str:
        """Give the likeliest name that a word may be part of."""
        return max(self._inside, key=lambda label: self._tagger.marginal(label, place))


def spans(labels: list[str]) -> Iterator[tuple[int, int]]:
    """Read labels of words as names: the words [first, last) of each."""
    first = None
    for place, label in enumerate(labels):
        if first is not None and (label[0] != "I" or label[2:] != labels[first][2:]):
            yield first, place
            first = None
        if first is None and label != _OUTSIDE:
            first = place
    if first is not None:
        yield first, len(labels)


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Cut a text where a log's line begins, and what is still long where it can be."""
    begins = [0, *(record.start() for record in _RECORD.finditer(text, 1)), len(text)]
    for start, end in pairwise(begins):
        yield from _short(text, start, end)


def _short(text: str, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Cut before a line, behind a sentence or between two words."""
    while stop - start > _PIECE_CHARS:
        limit = start + _PIECE_CHARS
        half = start + _PIECE_CHARS // 2
        places = (text.rfind(mark, half, limit) for mark in ("\n", ". ", " "))
        end = next((place + 1 for place in places if place > 0), limit)
        yield start, end
        start = end
    yield start, stop


def _hashes(folder: Path) -> dict[str, str]:
    path = folder / DESCRIPTION
    try:
        files = tomllib.loads(path.read_text(encoding="utf-8"))["files"]
        return {name: str(files[name]) for name in (_MODEL, _LEXICON)}
    except OSError as error:
        raise NamesError(
            f"{path} cannot be read: {error.strerror}. Name a folder of names"
        ) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        message = f"{path} must tell the SHA-256 of {_MODEL} and {_LEXICON} under [files]: {error}"
        raise NamesError(message) from error


def _intact(folder: Path, name: str, files: dict[str, str]) -> bytes:
    path = folder / name
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NamesError(f"{path} cannot be read: {error.strerror}. Copy {folder} again") from error
    if hashlib.sha256(data).hexdigest() != files[name]:
        raise NamesError(f"{path} is not the file that {DESCRIPTION} tells. Copy {folder} again")
    return data


def _tagger(folder: Path, model: bytes) -> "Tagger":
    try:
        from pycrfsuite import Tagger  # noqa: PLC0415 - a worker or an operator has no use for it
    except ImportError as error:
        message = "Names need python-crfsuite: pip install 'firstline[device]', or set names = []"
        raise NamesError(message) from error
    tagger = Tagger()
    try:
        tagger.open_inmemory(model)
    except ValueError as error:
        raise NamesError(f"{folder / _MODEL} is not a CRF: {error}") from error
    return tagger
