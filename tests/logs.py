"""Lines as machines write them, always the same ones: no phone number in any, IPv4 in many.

What looks like a phone number and is none stands in all of them: times, process ids, counters,
sizes, block and request numbers, versions, serials, coordinates of a screen.
"""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

_FORMS = Path(__file__).with_name("machine_lines.txt")
_PLACE = re.compile(r"<([a-z0-9]+)>")


@dataclass(frozen=True, slots=True)
class Line:
    """A line, and where in it an IPv4 address stands."""

    text: str
    addresses: tuple[tuple[int, int], ...]  # [start, end)


def machine_lines(count: int, seed: int = 1) -> list[Line]:
    """Write lines, each form as often as the others."""
    dice = random.Random(seed)  # noqa: S311 - the same lines each time
    forms = cycle(_FORMS.read_text(encoding="utf-8").splitlines())
    return [_line(form, dice) for form in islice(forms, count)]


def _line(form: str, dice: random.Random) -> Line:
    pieces: list[str] = []
    addresses: list[tuple[int, int]] = []
    length = 0
    for place, piece in enumerate(_PLACE.split(form)):
        is_field = place % 2 == 1
        text = _FIELDS[piece](dice) if is_field else piece
        if is_field and piece == "ip":
            addresses.append((length, length + len(text)))
        pieces.append(text)
        length += len(text)
    return Line("".join(pieces), tuple(addresses))


def _of(*choices: str) -> Callable[[random.Random], str]:
    return lambda dice: dice.choice(choices)


def _digits(*lengths: int) -> Callable[[random.Random], str]:
    def number(dice: random.Random) -> str:
        length = dice.choice(lengths)
        return str(dice.randrange(10 ** (length - 1), 10**length))

    return number


def _hex(dice: random.Random, length: int) -> str:
    return f"{dice.getrandbits(4 * length):0{length}x}"


def _clock(dice: random.Random) -> str:
    return f"{dice.randrange(24):02d}:{dice.randrange(60):02d}:{dice.randrange(60):02d}"


def _date(dice: random.Random, between: str = "-") -> str:
    return between.join(("2026", f"{dice.randint(1, 12):02d}", f"{dice.randint(1, 28):02d}"))


def _ip(dice: random.Random) -> str:
    if dice.random() < 0.05:
        return dice.choice(("0.0.0.0", "127.0.0.1", "255.255.255.255"))  # noqa: S104 - as logged
    head = dice.choice(("10", "192.168", "172.16", str(dice.randrange(1, 224))))
    missing = 4 - len(head.split("."))
    return ".".join((head, *(str(dice.randrange(256)) for _ in range(missing))))


def _uuid(dice: random.Random) -> str:
    return "-".join(_hex(dice, length) for length in (8, 4, 4, 4, 12))


_FIELDS: dict[str, Callable[[random.Random], str]] = {
    "big": _digits(6, 7, 8, 9, 10),
    "clock": _clock,
    "clock5": lambda dice: _clock(dice)[:5],
    "clock6": lambda dice: _clock(dice).replace(":", ""),
    "compact": lambda dice: _date(dice, ""),
    "dashed": lambda dice: _date(dice)[5:],
    "date": _date,
    "day": lambda dice: f"{dice.randint(1, 28):2d}",
    "day2": lambda dice: f"{dice.randint(1, 28):02d}",
    "decimal": lambda dice: f"{dice.uniform(0, 900):.{dice.randint(1, 6)}f}",
    "hex8": lambda dice: _hex(dice, 8),
    "host": _of("combo", "LabSZ", "node-17", "raspberrypi", "gw-2"),
    "ip": _ip,
    "long": _digits(17, 18, 19),
    "mac": lambda dice: ":".join(_hex(dice, 2) for _ in range(6)),
    "mon": _of("Jan", "Mar", "Jun", "Oct", "Dec"),
    "number": _digits(3, 4, 5, 6, 7),
    "pid": _digits(3, 4, 5),
    "port": lambda dice: str(dice.randrange(1024, 65536)),
    "short": lambda dice: _date(dice, "")[2:],
    "slashed": lambda dice: _date(dice, "/")[2:],
    "small": _digits(1, 2, 3),
    "unix": lambda dice: str(dice.randrange(1_100_000_000, 1_900_000_000)),
    "unixms": lambda dice: str(dice.randrange(1_100_000_000_000, 1_900_000_000_000)),
    "uptime": lambda dice: f"{dice.uniform(0, 9_999_999):.6f}",
    "uuid": _uuid,
    "weekday": _of("Sun", "Mon", "Thu"),
}


def one_text(lines: Sequence[Line]) -> str:
    """Join lines as a file has them."""
    return "\n".join(line.text for line in lines)
