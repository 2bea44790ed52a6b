"""A risk-coverage chart as strokes and words, whatever then draws it.

x: share of questions that the device keeps     y: share of those that is wrong
a line as measured, a dashed one as certified, a dot and a rule where the settings stand
"""

from dataclasses import dataclass
from math import ceil

from agent.core.bounds import certified_errors
from firstline.explaining.explanation import Explanation

WIDTH, HEIGHT = 720, 480  # pixels
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 700, 50, 420
_TICKS = 5
_MOST_SHOWN = 0.5  # of errors: the certified line of the few surest ends far above the others
_DOT = 5  # pixels

INK, MEASURED, CERTIFIED, CHOSEN, GRID = "#222222", "#1f77b4", "#d62728", "#2ca02c", "#dddddd"

Point = tuple[float, float]  # pixels, from the upper left


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line through points."""

    points: tuple[Point, ...]
    colour: str
    width: int = 1
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Dot:
    """A filled circle."""

    at: Point
    radius: int
    colour: str


@dataclass(frozen=True, slots=True)
class Words:
    """A line of text that begins, or ends, at a point on its baseline."""

    at: Point
    text: str
    colour: str = INK
    ends_there: bool = False


Mark = Stroke | Dot | Words


def chart(found: Explanation) -> list[Mark]:
    """Draw an explanation, what lies below first."""
    steps, samples = found.risks.steps, found.risks.samples
    measured = [(step.kept / samples, step.wrong / step.kept) for step in steps]
    errors = certified_errors(found.risks, found.confidence)
    certified = [(share, error) for (share, _), error in zip(measured, errors, strict=True)]
    shown = [error for _, error in certified if error < _MOST_SHOWN]
    top = _rounded_up(max([*shown, measured[-1][1]]))
    low = [point for point in certified if point[1] <= top]
    return [
        *_axes(top),
        Words((_LEFT, _TOP - 26), f"{found.task}: {found.package} {found.version}, {found.domain}"),
        Words((_LEFT, _TOP - 8), f"measured on {found.samples} samples", MEASURED),
        Words((_RIGHT, _TOP - 8), _sure(found.confidence), CERTIFIED, ends_there=True),
        Stroke(tuple(_place(*each, top) for each in measured), MEASURED, 2),
        Stroke(tuple(_place(*each, top) for each in low), CERTIFIED, 2, dashed=True),
        *_chosen(found, top),
    ]


def _sure(confidence: float) -> str:
    return f"certified, {confidence:.1%} sure"


def _axes(top: float) -> list[Mark]:
    marks: list[Mark] = []
    for n in range(_TICKS + 1):
        part = n / _TICKS
        x, y = _place(part, part * top, top)
        marks += [
            Stroke(((x, _TOP), (x, _BOTTOM)), GRID),
            Stroke(((_LEFT, y), (_RIGHT, y)), GRID),
            Words((x + 14, _BOTTOM + 20), f"{part:.0%}", ends_there=True),
            Words((_LEFT - 8, y + 4), f"{part * top:.1%}", ends_there=True),
        ]
    return [
        *marks,
        Stroke(((_LEFT, _TOP), (_LEFT, _BOTTOM), (_RIGHT, _BOTTOM)), INK),
        Words((_LEFT, _BOTTOM + 42), "across: questions that the device keeps"),
        Words((_RIGHT, _BOTTOM + 42), "up: wrong ones of those", ends_there=True),
    ]


def _chosen(found: Explanation, top: float) -> list[Mark]:
    point = found.operating
    if point is None or point.wrong is None:
        return []
    marks: list[Mark] = [Dot(_place(point.kept, min(point.wrong, top), top), _DOT, CHOSEN)]
    if point.max_error is not None and point.max_error <= top:
        y = _place(0.0, point.max_error, top)[1]
        marks.append(Stroke(((_LEFT, y), (_RIGHT, y)), CHOSEN, dashed=True))
        marks.append(Words((_LEFT + 6, y - 5), f"max_error {point.max_error:.1%}", CHOSEN))
    if point.max_share is not None:
        x = _place(1.0 - point.max_share, 0.0, top)[0]
        marks.append(Stroke(((x, _TOP), (x, _BOTTOM)), CHOSEN, dashed=True))
        words = f"max_share {point.max_share:.1%}"
        marks.append(Words((x - 5, _TOP + 14), words, CHOSEN, ends_there=True))
    return marks


def _place(share: float, error: float, top: float) -> Point:
    x = _LEFT + share * (_RIGHT - _LEFT)
    return x, _BOTTOM - error / top * (_BOTTOM - _TOP)


def _rounded_up(error: float) -> float:
    """The end of the axis: each tick a half or a whole percent."""
    return max(1, ceil(error * 200 / _TICKS)) * _TICKS / 200
