"""`firstline demo`: the whole idea on this machine, in a minute."""

import shutil
import tempfile
import textwrap
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from firstline import console
from firstline.console import JsonOption
from firstline.demo.problems import DemoError
from firstline.demo.processes import running_stage
from firstline.demo.scenes import INPUTS, SCENES, WITHOUT_CLOUD
from firstline.demo.show import Shown, play
from firstline.exits import CommandError, ExitCode

_WIDTH = 100
_LABEL = 12
_INTRODUCTION = """\
Firstline demo: a mosquitto broker, a cloud worker and a device agent start on this machine, each a
real process. For each message you see what came in, what left the device (sealed; here in clear
for you), who answered, how sure the answer is, and how long it took.
"""


def demo(
    *,
    as_json: JsonOption = False,
    keep: Annotated[
        Path | None, typer.Option(help="Keep keys, settings, logs and answers in this folder.")
    ] = None,
    settings: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Start nothing: ask the agent with these.")
    ] = None,
    cloud_down: Annotated[
        bool, typer.Option(help="With --settings: the messages for when no worker runs.")
    ] = False,
) -> None:
    """Run a broker, a worker and an agent here, and send real messages through them."""
    if (settings and keep) or (cloud_down and not settings):
        words = "--keep is for what it starts itself, --cloud-down goes with --settings"
        raise CommandError(words, ExitCode.USAGE)
    shown: list[Shown] = []
    try:
        for each in _asked(settings, cloud_down) if settings else _staged(keep, as_json=as_json):
            shown.append(each)
            _tell(each, len(shown), as_json=as_json)
    except DemoError as error:
        raise CommandError(str(error)) from error
    if not as_json:
        console.say(_summary(shown))


def _asked(settings: Path, cloud_down: bool) -> Iterator[Shown]:  # noqa: FBT001 - as the option
    return play(settings, WITHOUT_CLOUD if cloud_down else SCENES, INPUTS)


def _staged(keep: Path | None, *, as_json: bool) -> Iterator[Shown]:
    folder = keep or Path(tempfile.mkdtemp(prefix="firstline-demo-"))
    try:
        if not as_json:
            console.say(_INTRODUCTION)
        with running_stage(folder) as stage:
            yield from play(stage.settings, SCENES, INPUTS, stage.sealed_bytes)
            if not as_json:
                console.say("\n-- The worker is stopped: the cloud is down. --")
            stage.stop_worker()
            yield from play(stage.settings, WITHOUT_CLOUD, INPUTS, stage.sealed_bytes)
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def _tell(shown: Shown, number: int, *, as_json: bool) -> None:
    if as_json:
        console.emit(asdict(shown))
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
    console.say(f"{number:2}  {shown.task} ({shown.payload})")
    for label, text in rows:
        console.say(_row(label, text))


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
    return console.paint(origin, colours.get(origin, typer.colors.YELLOW))


def _summary(shown: list[Shown]) -> str:
    by = [each.answered_by for each in shown]
    return (
        f"\n{len(shown)} messages: {by.count('device')} kept on the device, "
        f"{by.count('cloud')} answered by the cloud, "
        f"{by.count('degraded')} answered locally because the cloud was down."
    )
