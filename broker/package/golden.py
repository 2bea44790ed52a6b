"""golden.json of a package: questions, and what it answered where it was released.

A board asks a new package these before it trusts it with anybody's question, and sees whether the
same files say the same there, how long they take, and how much memory.
"""

import base64
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final

from msgspec import Meta

from broker.package.errors import ManifestError
from broker.package.speed import Speed
from broker.wire.document import Document
from broker.wire.payload import Payload, Record, Text, Window

GOLDEN_FILE: Final = "golden.json"
MOST_CASES: Final = 16
MOST_BYTES: Final = 256 * 1024  # of the file: every board reads it whole
_NEAR: Final = 0.01  # of a number that is an answer: processors round differently

_Positive = Annotated[float, Meta(gt=0)]


@dataclass(frozen=True, slots=True)
class Case:
    """One question."""

    domain: str
    payload: Payload
    answer: str | None = field(repr=False)  # None: any will do, if there is one

    def agrees(self, answer: str) -> bool:
        """Whether an answer is the one that was given where the package was released."""
        if self.answer is None or answer == self.answer:
            return True
        try:
            return math.isclose(float(answer), float(self.answer), rel_tol=_NEAR, abs_tol=_NEAR)
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class Golden:
    """What a package did where it was released."""

    cases: tuple[Case, ...]
    agree: float  # in [0, 1]: share of the cases that a board must answer alike
    ms: float  # median of an answer; 0: nobody measured
    speed: Speed  # of the machine that it was measured on
    ram_mb: int  # the engine child's whole memory, MB; 0: nobody measured
    tokens_per_s: float = 0.0  # that a language model wrote there; 0: it is none

    def expected_ms(self, here: Speed) -> float:
        """The median of an answer on another machine; 0: nobody measured."""
        return self.ms * here.slower_than(self.speed)


class _Window(Document, frozen=True):
    samples: str  # float32, little-endian, base64
    channels: tuple[str, ...]
    rate_hz: float


class _Case(Document, frozen=True):
    domain: str
    answer: str
    text: str | None = None
    record: dict[str, float | str] | None = None
    window: _Window | None = None


class _Golden(Document, frozen=True):
    cases: Annotated[tuple[_Case, ...], Meta(min_length=1, max_length=MOST_CASES)]
    agree: Annotated[float, Meta(ge=0, le=1)]
    ms: _Positive
    compute: _Positive
    memory: _Positive
    ram_mb: Annotated[int, Meta(ge=1)]
    tokens_per_s: Annotated[float, Meta(ge=0)] = 0.0


def read_golden(folder: Path) -> Golden | None:
    """What a package brings along; None if it brings nothing.

    Raises:
        ManifestError: the file is not of this form.
    """
    path = folder / GOLDEN_FILE
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ManifestError(f"{path} is longer than {MOST_BYTES} bytes; take fewer cases")
        found = _Golden.read(path.read_bytes())
        cases = tuple(Case(each.domain, _payload(each), each.answer) for each in found.cases)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ManifestError(f"{path} cannot be used: {error}") from error
    speed = Speed(found.compute, found.memory)
    return Golden(cases, found.agree, found.ms, speed, found.ram_mb, found.tokens_per_s)


def golden_text(golden: Golden) -> bytes:
    """The file's content.

    Raises:
        ValueError: a case has no answer, or a figure is out of its bounds.
    """
    return _Golden(
        cases=tuple(_documents(golden.cases)),
        agree=golden.agree,
        ms=round(golden.ms, 4),
        compute=golden.speed.compute,
        memory=golden.speed.memory,
        ram_mb=golden.ram_mb,
        tokens_per_s=round(golden.tokens_per_s, 1),
    ).write()


def _documents(cases: tuple[Case, ...]) -> Iterator[_Case]:
    for case in cases:
        answer = case.answer or ""
        match case.payload:
            case Text(text):
                yield _Case(domain=case.domain, answer=answer, text=text)
            case Record(fields):
                yield _Case(domain=case.domain, answer=answer, record=dict(fields))
            case Window(samples, channels, rate_hz):
                coded = base64.b64encode(samples).decode()
                window = _Window(samples=coded, channels=channels, rate_hz=rate_hz)
                yield _Case(domain=case.domain, answer=answer, window=window)


def _payload(case: _Case) -> Payload:
    given = [each for each in (case.text, case.record, case.window) if each is not None]
    if len(given) != 1:
        raise ValueError("a case has one of text, record and window")
    match given[0]:
        case str() as text:
            return Text(text)
        case dict() as fields:
            return Record(fields)
        case window:
            samples = base64.b64decode(window.samples, validate=True)
            if not samples or len(samples) % (4 * max(1, len(window.channels))):
                raise ValueError("a window's samples are no whole rows of its channels")
            return Window(samples, window.channels, window.rate_hz)
