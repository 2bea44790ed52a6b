"""Draws a chart: SVG by hand, since it is text, PNG with Pillow."""

from collections.abc import Iterator
from itertools import pairwise
from math import dist
from pathlib import Path
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape

from broker.wire.files import write_whole
from firstline.exits import CommandError
from firstline.explaining.chart import HEIGHT, WIDTH, Dot, Mark, Point, Stroke, Words, chart
from firstline.explaining.explanation import Explanation

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

FORMATS: Final = (".svg", ".png")
_FOR_ALL = 0o644
_SIZE = 13  # pixels, of letters
_DASH = 6.0  # pixels, and as much between


def write_plot(found: Explanation, path: Path) -> None:
    """Draw an explanation into a file, in the format that its name says.

    Raises:
        CommandError: a PNG is wanted, and Pillow is not installed.
        OSError: it cannot be written.
    """
    marks = chart(found)
    if path.suffix.lower() == ".png":
        _write_png(marks, path)
    else:
        write_whole(path, ("\n".join(_svg(marks)) + "\n").encode(), mode=_FOR_ALL)


def _svg(marks: list[Mark]) -> Iterator[str]:
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="sans-serif" font-size="{_SIZE}">'
    )
    yield f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>'
    for mark in marks:
        match mark:
            case Stroke(points, colour, width, dashed):
                through = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
                dashes = f' stroke-dasharray="{_DASH:.0f}"' if dashed else ""
                look = f'fill="none" stroke="{colour}" stroke-width="{width}"{dashes}'
                yield f'<polyline points="{through}" {look}/>'
            case Dot((x, y), radius, colour):
                yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}"/>'
            case Words((x, y), text, colour, ends_there):
                anchor = ' text-anchor="end"' if ends_there else ""
                place = f'x="{x:.1f}" y="{y:.1f}" fill="{colour}"{anchor}'
                yield f"<text {place}>{escape(text)}</text>"
    yield "</svg>"


def _write_png(marks: list[Mark], path: Path) -> None:
    try:
        from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415 - only who wants a PNG has it
    except ModuleNotFoundError as error:
        raise CommandError(
            f"{path}: a PNG needs Pillow, which is not installed; an SVG needs nothing",
            fix="pip install 'firstline[plot]', or --plot FILE.svg",
        ) from error
    image = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(_SIZE)
    for mark in marks:
        match mark:
            case Stroke():
                _stroke(draw, mark)
            case Dot(at, radius, colour):
                draw.circle(at, radius, fill=colour)
            case Words(at, text, colour, ends_there):
                draw.text(at, text, fill=colour, font=font, anchor="rs" if ends_there else "ls")
    image.save(path, format="PNG")


def _stroke(draw: "ImageDraw", stroke: Stroke) -> None:
    if not stroke.dashed:
        draw.line(stroke.points, fill=stroke.colour, width=stroke.width)
        return
    for start, end in _dashes(stroke.points):
        draw.line((start, end), fill=stroke.colour, width=stroke.width)


def _dashes(points: tuple[Point, ...]) -> Iterator[tuple[Point, Point]]:
    """Every second piece of a line."""
    gone = 0.0  # pixels since the line began
    for start, end in pairwise(points):
        length = dist(start, end)
        at = 0.0
        while at < length:
            piece = min(length - at, _DASH - gone % _DASH or _DASH)
            if int(gone / _DASH) % 2 == 0:
                yield _between(start, end, at / length), _between(start, end, (at + piece) / length)
            at, gone = at + piece, gone + piece


def _between(start: Point, end: Point, part: float) -> Point:
    return start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part
