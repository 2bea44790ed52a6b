"""Spans of time and lists of numbers, as a person types them."""

import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Final

from firstline.exits import CommandError, ExitCode

_ALL: Final = 100.0
_UNITS: Final = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_SPAN: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)([smhd]?)")
_HOURS: Final = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])-([01]?[0-9]|2[0-3]):([0-5][0-9])")
_NEED: Final = re.compile(r"([a-z0-9-]+):(cores|score|cpu)=([a-z0-9_.,]+)")
_READ: Final[Mapping[str, Callable[[str], Any]]] = {
    "cores": int,
    "score": float,
    "cpu": lambda each: tuple(each.split(",")),
}


def seconds(text: str) -> float:
    """Read 90, 90s, 10m, 2h or 7d.

    Raises:
        CommandError: it is none.
    """
    match = _SPAN.fullmatch(text)
    if match is None:
        raise _wrong(text, "a span of time is such as 90s, 10m, 2h or 7d")
    return float(match[1]) * _UNITS[match[2]]


def percents(text: str) -> tuple[float, ...]:
    """Read 1,10,50,100: rising.

    Raises:
        CommandError: it is none.
    """
    try:
        found = tuple(float(each) for each in text.split(","))
    except ValueError:
        found = ()
    rising = all(low < high for low, high in pairwise(found))
    if not found or not rising or found[0] < 0.0 or found[-1] > _ALL:
        raise _wrong(text, "waves are rising percentages such as 1,10,50,100")
    return found


def hours(text: str) -> tuple[int, int]:
    """Read 22:00-05:00 as minutes of a day.

    Raises:
        CommandError: it is none.
    """
    match = _HOURS.fullmatch(text)
    if match is None:
        raise _wrong(text, "hours are such as 22:00-05:00")
    first, last = (int(match[at]) * 60 + int(match[at + 1]) for at in (1, 3))
    return first, last


def needs(texts: list[str]) -> Mapping[str, Mapping[str, Any]]:
    """Read VARIANT:cores=4, VARIANT:score=20, VARIANT:cpu=avx2,fma.

    Raises:
        CommandError: one is none.
    """
    found: dict[str, dict[str, Any]] = {}
    for text in texts:
        match = _NEED.fullmatch(text)
        try:
            variant, key, value = match.groups() if match else ("", "", "")
            found.setdefault(variant, {})[key] = _READ[key](value)
        except (KeyError, ValueError):
            raise _wrong(text, "a need is such as q8:cores=4, q8:score=20, q8:cpu=avx2") from None
    return found


def _wrong(text: str, what: str) -> CommandError:
    return CommandError(f"{text!r}: {what}", ExitCode.USAGE)
