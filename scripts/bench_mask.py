"""Masking beside Presidio, in one run through one scorer: the README's tables.

    labelled texts --.
    machine lines ---+--> masking_child, presidio_spans (a process each) --> judge --> Markdown

Takes files in presidio-research's form; without any, the one in the folder FIRSTLINE_DATA.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from firstline.bench.masking import OURS, Masking, Measured, judge, measure
from firstline.bench.masking_data import PATTERNS, Case, Marked, read_cases
from tests.logs import Line, machine_lines, one_text

_PRESIDIO = (".venv-presidio/bin/python", "scripts/presidio_spans.py")
_DATA = Path("pii/presidio_research_v2_dev.json")
_COUNT = 1000  # machine lines
_BLOCK = 8  # of them have 1 KB
_IDS = frozenset({"CREDIT_CARD", "IBAN", "SSN", "DRIVER_LICENSE", "UK_NHS", "NATIONAL_ID"})

Row = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Logs:
    """What was found in lines that hold addresses and no phone number."""

    phones: int
    ids: int  # of people: cards, national ids and the like
    addresses_found: int
    addresses: int
    ms_per_kb: float


def main() -> int:
    """Measure both, print a table for each file and one for the lines."""
    paths = [Path(each) for each in sys.argv[1:]]
    if not paths and "FIRSTLINE_DATA" in os.environ:
        paths = [Path(os.environ["FIRSTLINE_DATA"]) / _DATA]
    if not paths:
        print("Say which file: make bench-mask DATA=FILE.json", file=sys.stderr)
        return 2
    for path in paths:
        cases = read_cases(path)
        ours, theirs = (judge(cases, measure(cases, command)) for command in (OURS, _PRESIDIO))
        _print(f"{path.name}, {ours.texts} texts, {ours.spans} spans", _rows(ours, theirs))
    lines = machine_lines(_COUNT)
    _print(f"{_COUNT} machine lines", _log_rows(_logs(lines, OURS), _logs(lines, _PRESIDIO)))
    return 0


def _print(what: str, rows: Iterator[Row]) -> None:
    print(f"\n| {what} | Firstline | Presidio |\n|---|---|---|")
    for row in rows:
        print("| " + " | ".join(row) + " |")


def _rows(ours: Masking, theirs: Masking) -> Iterator[Row]:
    for name in PATTERNS:
        if name in ours.per_type:
            yield (
                f"F2 of {name}",
                f"{ours.per_type[name].f2:.3f}",
                f"{theirs.per_type[name].f2:.3f}",
            )
    for key in ("pattern8_f2", "person_f2", "pii_f2", "pii_strict_f2", "covered", "needless"):
        yield f"`{key}`", f"{getattr(ours, key):.3f}", f"{getattr(theirs, key):.3f}"
    for key, digits in (("ms_mean", 2), ("ms_p99", 2), ("rss_mb", 0), ("init_s", 2)):
        yield (
            f"`{key}`",
            f"{getattr(ours, key):.{digits}f}",
            f"{getattr(theirs, key):.{digits}f}",
        )


def _log_rows(ours: Logs, theirs: Logs) -> Iterator[Row]:
    yield "false phone numbers", f"{ours.phones}", f"{theirs.phones}"
    yield "false cards and ids of people", f"{ours.ids}", f"{theirs.ids}"
    yield (
        f"IPv4 addresses found, of {ours.addresses}",
        f"{ours.addresses_found}",
        f"{theirs.addresses_found}",
    )
    yield "ms per KB", f"{ours.ms_per_kb:.2f}", f"{theirs.ms_per_kb:.2f}"


def _logs(lines: Sequence[Line], command: Sequence[str]) -> Logs:
    measured = measure([Case(line.text, ()) for line in lines], command)
    blocks = [one_text(lines[start : start + _BLOCK]) for start in range(0, len(lines), _BLOCK)]
    timed = measure([Case(block, ()) for block in blocks], command)
    places = [
        (start, end, found)
        for line, found in zip(lines, measured.found, strict=True)
        for start, end in line.addresses
    ]
    return Logs(
        phones=_count(measured, frozenset({"PHONE"})),
        ids=_count(measured, _IDS),
        addresses_found=sum(_covered(*place) for place in places),
        addresses=len(places),
        ms_per_kb=sum(timed.ms) / (sum(map(len, blocks)) / 1000),
    )


def _count(measured: Measured, types: frozenset[str]) -> int:
    return sum(span.type in types for spans in measured.found for span in spans)


def _covered(start: int, end: int, found: Sequence[Marked]) -> bool:
    return any(span.start <= start and end <= span.end for span in found)


if __name__ == "__main__":
    sys.exit(main())
