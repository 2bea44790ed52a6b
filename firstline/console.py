"""What commands print: text for people, or with `--json` one object on one line.

    result --show--> text on standard output    | {"...": ...}
    error  --tell--> message on standard error  | {"error": {"code": ..., "message": ...}}

Answers go to standard output, all else to standard error. Colours only on a terminal, and never
where NO_COLOR is set (no-color.org).
"""

import json
import os
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

import typer

from firstline.exits import CommandError, ExitCode, code_of

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, one object on one line.")]


def say(text: str = "") -> None:
    """Print a line for a person."""
    typer.echo(text)


def note(text: str) -> None:
    """Print a line beside the result, on standard error."""
    typer.echo(text, err=True)


def emit(document: Mapping[str, object]) -> None:
    """Print one object as one line of JSON."""
    typer.echo(json.dumps(document, ensure_ascii=False, default=str))


def show(document: Mapping[str, object], lines: Iterable[str], *, as_json: bool) -> None:
    """Print a result in the form that was asked for."""
    if as_json:
        emit(document)
        return
    for line in lines:
        say(line)


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lay rows out as columns; the first row is the heading."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def paint(text: str, colour: str) -> str:
    """Colour a text where a person looks at it."""
    if "NO_COLOR" in os.environ or not sys.stdout.isatty():
        return text
    return typer.style(text, fg=colour)


def tell(error: Exception, *, as_json: bool) -> ExitCode:
    """Report an error and give the exit code for it.

    A mistake of ours is told by its place in the code, without its message: that may hold
    what somebody wrote.
    """
    code = code_of(error)
    if code is None:
        trace = "".join(traceback.format_tb(error.__traceback__))
        note(f"{trace}{type(error).__name__} (its message may be personal and is not shown)")
        message, fix = "A mistake in Firstline, not in your input.", "report the lines above"
    else:
        message, fix = _message(error), error.fix if isinstance(error, CommandError) else ""
    code = code or ExitCode.FAILURE
    if as_json:
        emit({"error": _document(error, code, message, fix)})
    else:
        note(f"firstline: {message}" + (f"\n  try: {fix}" if fix else ""))
    return code


def _message(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


def _document(error: Exception, code: ExitCode, message: str, fix: str) -> Mapping[str, object]:
    document: dict[str, object] = {
        "code": code,
        "kind": code.name.lower(),
        "message": message,
        "fix": fix,
    }
    problems = getattr(error, "problems", ())
    if problems:  # of a settings file
        document["problems"] = [
            {"file": each.file, "line": each.line, "key": each.key, "message": each.message}
            for each in problems
        ]
    return document
