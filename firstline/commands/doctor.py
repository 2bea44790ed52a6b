"""`firstline doctor`: every check with what was seen and its exact fix."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from firstline.checks import machine, parts, setup
from firstline.checks.finding import Finding, State
from firstline.console import JsonOption, paint, show
from firstline.exits import ExitCode

_COLOURS = {State.OK: "green", State.WARN: "yellow", State.FAIL: "red"}


def doctor(
    *,
    settings: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Check also what an agent or a worker needs."),
    ] = None,
    as_json: JsonOption = False,
) -> ExitCode:
    """Check this machine, each finding with its fix."""
    found = [
        *machine.findings(settings.resolve().parent if settings else Path()),
        *parts.findings(),
    ]
    if settings is not None:
        found += setup.findings(settings)
    counts = Counter(finding.state for finding in found)
    document: dict[str, object] = {
        "healthy": counts[State.FAIL] == 0,
        "checks": [
            {"name": each.name, "state": each.state, "seen": each.seen, "fix": each.fix}
            for each in found
        ],
    }
    show(document, _lines(found, counts), as_json=as_json)
    return ExitCode.FAILURE if counts[State.FAIL] else ExitCode.OK


def _lines(found: Sequence[Finding], counts: Counter[State]) -> Iterator[str]:
    width = max(len(each.name) for each in found)
    for each in found:
        state = paint(f"{each.state:<4}", _COLOURS[each.state])
        yield f"{state}  {each.name:<{width}}  {each.seen}"
        if each.fix:
            yield f"      {'':<{width}}  fix: {each.fix}"
    yield ""
    yield ", ".join(f"{counts[state]} {state}" for state in State)
