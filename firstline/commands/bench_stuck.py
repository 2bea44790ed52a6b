"""`firstline bench stuck`: what a worker costs that is frozen or dead."""

from dataclasses import asdict
from typing import Annotated

import typer

from firstline import console
from firstline.commands.bench_progress import progressing
from firstline.console import JsonOption
from firstline.exits import CommandError, ExitCode

_KINDS = 3


def stuck(
    *,
    rounds: Annotated[int, typer.Option(min=2, help="Questions of each kind.")] = 10,
    as_json: JsonOption = False,
) -> None:
    """How long a question waits with two workers, of which one is frozen, then dead."""
    from firstline.bench import stuck as bench  # noqa: PLC0415 - see firstline.commands.bench

    with progressing(_KINDS * rounds) as advance:
        try:
            found = bench.measure(rounds, advance)
        except TimeoutError as error:
            raise CommandError(str(error), ExitCode.TIMEOUT) from error
    lines = [
        f"both answer      {found.healthy_s:.3f} s at most",
        f"one is frozen    {found.stuck_s:.3f} s at most",
        f"one is dead      {found.dead_s:.3f} s at most",
        f"more             {found.more_s:.3f} s; a question is sent again after {found.resend_s} s",
    ]
    console.show(asdict(found), lines, as_json=as_json)
