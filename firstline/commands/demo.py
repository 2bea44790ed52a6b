"""`firstline demo`: the whole idea on this machine, in a minute."""

import json
import shutil
import sys
import tempfile
import textwrap
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from firstline.demo.show import Shown

_WIDTH = 100
_LABEL = 12


def demo(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    keep: Annotated[
        Path | None, typer.Option(help="Keep keys, settings, logs and answers in this folder.")
    ] = None,
) -> None:
    """Run a broker, a worker and an agent here, and send real messages through them."""
    from firstline.demo.processes import DemoError, running_stage
    from firstline.demo.scenes import INPUTS, SCENES, WITHOUT_CLOUD
    from firstline.demo.show import play

    folder = keep or Path(tempfile.mkdtemp(prefix="firstline-demo-"))
    shown: list[Shown] = []
    try:
        if not as_json:
            typer.echo(_INTRODUCTION)
        with running_stage(folder) as stage:
            for each in play(stage, SCENES, INPUTS):
                shown.append(each)
                _tell(each, len(shown), as_json=as_json)
            if not as_json:
                typer.echo("\n-- The worker is stopped: the cloud is down. --")
            stage.stop_worker()
            for each in play(stage, WITHOUT_CLOUD, INPUTS):
                shown.append(each)
                _tell(each, len(shown), as_json=as_json)
    except DemoError as error:
        typer.echo(f"demo: {error}", err=True)
        raise typer.Exit(1) from error
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    if not as_json:
        typer.echo(_summary(shown))


_INTRODUCTION = """\
Firstline demo: a mosquitto broker, a cloud worker and a device agent start on this machine, each a
real process. For each message you see what came in, what left the device (sealed; here in clear
for you), who answered, how sure the answer is, and how long it took.
"""


def _tell(shown: "Shown", number: int, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(asdict(shown), ensure_ascii=False))
        return
    left = shown.left_device
    if shown.sealed_bytes:
        left += f"   [{shown.sealed_bytes} sealed bytes]"
    who = f"{_who(shown.answered_by)} ({shown.model}), {shown.confidence:.0%} sure"
    rows = [
        ("came in", shown.came_in),
        ("left", left),
        ("answer", shown.answer),
        ("by", f"{who}, {shown.elapsed_ms:.1f} ms"),
        *(("note", flag) for flag in shown.flags),
    ]
    typer.echo(f"{number:2}  {shown.task} ({shown.payload})")
    for label, text in rows:
        typer.echo(_row(label, text))


def _row(label: str, text: str) -> str:
    indent = " " * _LABEL
    width = max(40, min(_WIDTH, shutil.get_terminal_size().columns))
    return textwrap.fill(
        text,
        width,
        initial_indent=f"    {label:<{_LABEL - 4}}",
        subsequent_indent=indent,
        break_long_words=False,
    )


def _who(origin: str) -> str:
    colours = {"device": typer.colors.GREEN, "cloud": typer.colors.CYAN}
    if not sys.stdout.isatty():
        return origin
    return typer.style(origin, fg=colours.get(origin, typer.colors.YELLOW))


def _summary(shown: list["Shown"]) -> str:
    by = [each.answered_by for each in shown]
    return (
        f"\n{len(shown)} messages: {by.count('device')} kept on the device, "
        f"{by.count('cloud')} answered by the cloud, "
        f"{by.count('degraded')} answered locally because the cloud was down."
    )
