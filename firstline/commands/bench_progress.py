"""How far a measurement is, for whoever looks."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer


@contextmanager
def progressing(steps: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal; elsewhere nothing."""
    if not sys.stderr.isatty():
        yield _ignore
        return
    with typer.progressbar(length=steps, file=sys.stderr) as bar:
        yield bar.update


def _ignore(_steps: int) -> None:
    """Nobody is looking."""
