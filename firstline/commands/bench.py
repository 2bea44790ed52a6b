"""`firstline bench`: what the README's figures are made with.

Each measurement is imported when it runs: the footprint's must not share pages with the agent.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer

from firstline import console
from firstline.console import JsonOption
from firstline.exits import CommandError, ExitCode

bench = typer.Typer(help="Measure this machine.", no_args_is_help=True)


@bench.command()
def roundtrip(
    *,
    rounds: Annotated[int, typer.Option(min=50, help="Of each kind.")] = 1000,
    size: Annotated[int, typer.Option(min=1, max=60_000, help="Bytes of a question.")] = 1024,
    as_json: JsonOption = False,
) -> None:
    """A sealed, durable question and its answer, beside bare paho, in the same run."""
    from firstline.bench import roundtrip as roundtrips  # noqa: PLC0415 - see the module

    with _progress(rounds) as advance:
        try:
            found = roundtrips.measure(rounds, size, advance)
        except TimeoutError as error:
            raise CommandError(str(error), ExitCode.TIMEOUT) from error
    lines = [
        f"bare paho        p50 {found.bare_p50_ms:.3f} ms",
        f"Firstline        p50 {found.sealed_p50_ms:.3f} ms, p99 {found.sealed_p99_ms:.3f} ms",
        f"ratio            {found.ratio:.2f}",
        f"overhead         question {found.request_overhead_bytes} bytes",
        f"                 answer {found.reply_overhead_bytes} bytes",
        f"rounds           {found.rounds} of each, {found.question_bytes} bytes",
    ]
    console.show(asdict(found), lines, as_json=as_json)


@bench.command()
def footprint(*, as_json: JsonOption = False) -> None:
    """The agent's memory, its start, and how fast the command line answers."""
    from firstline.bench import footprint as footprints  # noqa: PLC0415 - see the module

    with _progress(footprints.STEPS) as advance:
        try:
            found = footprints.measure(advance)
        except footprints.FootprintError as error:
            raise CommandError(str(error), ExitCode.FAILURE) from error
    lines = [
        f"idle agent       {found.idle_pss_mb:.1f} MiB",
        f"  with its child {found.idle_with_child_pss_mb:.1f} MiB",
        f"engine child     {found.engine_child_pss_mb:.1f} MiB",
        f"start to online  {found.start_to_online_s:.2f} s",
        f"--help           {found.help_ms:.0f} ms",
    ]
    console.show(asdict(found), lines, as_json=as_json)


@contextmanager
def _progress(steps: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal; elsewhere nothing."""
    if not sys.stderr.isatty():
        yield _ignore
        return
    with typer.progressbar(length=steps, file=sys.stderr) as bar:
        yield bar.update


def _ignore(_steps: int) -> None:
    """Nobody is looking."""
