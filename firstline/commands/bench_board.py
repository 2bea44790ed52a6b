"""`firstline bench pressure`, `firstline bench writes`: what a board's user asks of the agent."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from firstline import console
from firstline.commands.bench_progress import progressing
from firstline.console import JsonOption
from firstline.exits import CommandError, ExitCode

if TYPE_CHECKING:
    from firstline.bench.writes import Writes

_DELEGATED = "sudo systemd-run --scope --property=Delegate=yes firstline bench pressure"


def pressure(
    *,
    texts: Annotated[int, typer.Option(min=100, help="That are asked.")] = 1000,
    limit_mb: Annotated[int, typer.Option(min=128, help="MiB, of the control group.")] = 256,
    as_json: JsonOption = False,
) -> None:
    """An agent in a control group whose memory runs out: the child goes, no text is lost."""
    from firstline.bench import group  # noqa: PLC0415 - see bench.py
    from firstline.bench import pressure as pressures  # noqa: PLC0415

    with progressing(texts) as advance:
        try:
            found = pressures.measure(texts, limit_mb, advance)
        except group.GroupUnavailableError as error:
            raise CommandError(str(error), ExitCode.FAILURE, fix=_DELEGATED) from error
        except pressures.PressureError as error:
            raise CommandError(str(error), ExitCode.FAILURE) from error
    survived = "is the same process to the end" if found.agent_survived else "did NOT survive"
    lines = [
        f"answered         {found.answered} of {found.texts}, {found.answers_per_s:.0f}/s",
        f"lost             {found.lost}",
        f"engine children  {found.kills} ended by the kernel; the agent {survived}",
        f"memory           {found.peak_mb:.0f} of {found.limit_mb} MiB at most",
        f"control groups   version {found.group_version}",
    ]
    console.show(asdict(found), lines, as_json=as_json)
    if found.lost or not found.agent_survived:
        raise CommandError("memory pressure cost more than the engine child", ExitCode.FAILURE)


def writes(
    *,
    folder: Annotated[
        Path, typer.Option(metavar="DIR", help="On the disk that is to be spared.")
    ] = Path("/var/tmp"),  # noqa: S108 - a folder of its own is made in it
    idle_s: Annotated[int, typer.Option(min=1, help="Seconds of idleness.")] = 600,
    questions: Annotated[int, typer.Option(min=20, help="Of each kind.")] = 1000,
    as_json: JsonOption = False,
) -> None:
    """What the agent writes to its disk: idle, for answers it keeps, for questions it asks."""
    from firstline.bench import disk  # noqa: PLC0415 - see bench.py
    from firstline.bench import writes as written  # noqa: PLC0415

    with progressing(idle_s) as advance:
        try:
            found = written.measure(folder, float(idle_s), questions, advance)
        except (written.WritesError, disk.NoDiskError) as error:
            raise CommandError(str(error), ExitCode.FAILURE) from error
    console.show(asdict(found), _written(found), as_json=as_json)


def _written(found: "Writes") -> Iterator[str]:
    yield f"idle             {found.idle_mb_per_day:.1f} MB a day, of {found.idle_s:.0f} s"
    yield f"kept             {found.kib_per_kept:.1f} KiB of each answer, {found.questions} of them"
    yield f"asked            {found.kib_per_asked:.1f} KiB of each question"
    figures = (found.disk_idle_mb_per_day, found.disk_kib_per_kept, found.disk_kib_per_asked)
    if None not in figures:
        words = "whole disk       {:.0f} MB a day, {:.1f} and {:.1f} KiB, whoever wrote"
        yield words.format(*figures)
