"""`firstline bench swap`: models change while questions come, and a broken one is taken back."""

from dataclasses import asdict
from typing import Annotated

import typer

from firstline import console
from firstline.commands.bench_progress import progressing
from firstline.console import JsonOption
from firstline.exits import CommandError, ExitCode


def swap(
    *,
    requests: Annotated[int, typer.Option(min=10, help="Questions; more if swaps take long.")] = (
        10_000
    ),
    swaps: Annotated[int, typer.Option(min=1, max=10_000, help="Packages that take over.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """Packages that take over from one another under load, and broken ones that are taken back."""
    from firstline.bench import swap as bench  # noqa: PLC0415 - see firstline.commands.bench

    with progressing(swaps) as advance:
        try:
            found = bench.measure(requests, swaps, advance)
        except bench.SwapError as error:
            raise CommandError(str(error), ExitCode.FAILURE) from error
    lines = [
        f"failed           {found.failed} of {found.requests}, {found.swaps} swaps",
        f"wrong version    {found.wrong_version}",
        f"answer           p50 {found.p50_ms:.2f} ms, p99 {found.p99_ms:.2f} ms",
        f"longest          {found.longest_ms:.0f} ms",
        f"without swaps    p50 {found.p50_still_ms:.2f} ms, p99 {found.p99_still_ms:.2f} ms",
        f"a swap takes     {found.swap_s:.2f} s, from its files to being proven",
        f"rollback         {found.rollback_s:.2f} s, the longest of {found.rollbacks}",
        f"  it cost        {found.unanswered} questions",
    ]
    console.show(asdict(found), lines, as_json=as_json)
    if found.failed or found.wrong_version:
        raise CommandError("questions failed, or an earlier version answered", ExitCode.FAILURE)
