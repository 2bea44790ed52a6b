"""`firstline bench update`."""

from dataclasses import asdict
from typing import Annotated

import typer

from firstline import console
from firstline.commands.bench_progress import progressing
from firstline.console import JsonOption
from firstline.exits import CommandError, ExitCode


def update(
    *,
    devices: Annotated[int, typer.Option(min=1, max=500, help="Boards, a process each.")] = 50,
    size_mb: Annotated[int, typer.Option(min=1, max=16_384, help="Of the file, MB.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """One release to many boards: what is sent, received and held in memory for it."""
    from firstline.bench import update as updates  # noqa: PLC0415 - see the module

    with progressing(devices) as advance:
        try:
            found = updates.measure(devices, size_mb, advance)
        except updates.UpdateBenchError as error:
            raise CommandError(str(error), ExitCode.FAILURE) from error
    lines = [
        f"operator sent    {found.publisher_egress_ratio:.3f} of the file, for all boards together",
        f"a board received {found.device_refetch_ratio:.3f} of it, with {found.cuts} cuts",
        f"memory           {found.peak_rss_mb:.1f} MiB more, of {found.updater_rss_mb:.1f} MiB",
        f"took             {found.wall_s:.1f} s for {found.devices} boards, {found.late} late",
        f"files            {'identical' if found.all_identical else 'NOT IDENTICAL'}",
    ]
    console.show(asdict(found), lines, as_json=as_json)
    if not found.all_identical:
        raise CommandError("a board's files are not those that were released", ExitCode.FAILURE)
