"""`firstline fleet release`: plans, deltas, signatures, the first wave; with --wait to the end."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from firstline.commands.fleet_options import DEFAULT_FOLDER, FolderOption, PlainOption
from firstline.console import JsonOption, note, show
from firstline.exits import CommandError, ExitCode
from firstline.passphrases import PassphraseFile, passphrase_of
from firstline.rolling import spans

if TYPE_CHECKING:
    from collections.abc import Sequence

    from broker.fleet.releases.courses import Course
    from broker.fleet.releases.publish import Filled
    from broker.fleet.releases.standings import Board
    from broker.fleet.releases.waves import Waves

Span = str  # such as 10m


def _said(metavar: str, what: str) -> object:
    return typer.Option(metavar=metavar, help=what)


def release(  # noqa: PLR0913 - each is an option of the command
    packages: Annotated[
        list[Path],
        typer.Argument(
            metavar="PACKAGE...", help="Its folder; of several variants all, the best first."
        ),
    ],
    *,
    group: Annotated[str, _said("NAME", "The boards whose settings name this group.")] = "all",
    percent: Annotated[
        float | None, typer.Option(min=0.0, max=100.0, help="Of the group's boards, and no more.")
    ] = None,
    waves: Annotated[
        str | None, _said("LIST", "Such as 1,10,50,100, each after the other.")
    ] = None,
    wave_wait: Annotated[Span, _said("SPAN", "At least, from one wave to the next.")] = "10m",
    success: Annotated[
        float, typer.Option(min=0.01, max=1.0, help="Share that must be done, or it halts.")
    ] = 0.95,
    patience: Annotated[Span, _said("SPAN", "With a wave that does not get there.")] = "24h",
    device: Annotated[list[str] | None, _said("NAME", "This one first; again for more.")] = None,
    base: Annotated[
        list[Path] | None,
        typer.Option("--from", metavar="DIR", help="A package that boards have; again for more."),
    ] = None,
    need: Annotated[
        list[str] | None, _said("VARIANT:WHAT", "cores=4, score=20 or cpu=avx2; again for more.")
    ] = None,
    after: Annotated[Span, _said("SPAN", "Nobody begins before.")] = "0s",
    deadline: Annotated[Span | None, _said("SPAN", "Nobody begins after.")] = None,
    hours: Annotated[str | None, _said("SPAN", "Of the board's day, such as 22:00-05:00.")] = None,
    battery: Annotated[bool, typer.Option(help="Also to boards that run on a battery.")] = True,
    metered: Annotated[bool, typer.Option(help="Also over links that cost by the byte.")] = True,
    watch: Annotated[Span, _said("SPAN", "It must run well for so long to be done.")] = "10m",
    restarts: Annotated[int, typer.Option(min=1, max=100, help="It may take meanwhile.")] = 3,
    most_errors: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of questions.")
    ] = 0.05,
    most_escalated: Annotated[float, typer.Option(min=0.0, max=1.0, help="The same.")] = 1.0,
    most_ms: Annotated[float, typer.Option(min=0.0, help="Median of answers; 0: any.")] = 0.0,
    wait: Annotated[bool, typer.Option("--wait", help="Follow it to its end.")] = False,
    folder: FolderOption = DEFAULT_FOLDER,
    plain: PlainOption = None,
    passphrase_file: PassphraseFile = None,
    as_json: JsonOption = False,
) -> None:
    """Sign a model package for a group's boards, and have the first of them take it."""
    # Imported late: the other verbs of `fleet` need neither MQTT nor TUF.
    from broker.fleet.releases.courses import Course  # noqa: PLC0415
    from firstline.rolling import opening  # noqa: PLC0415
    from firstline.rolling.releasing import Order, Releasing, Rules, rollout_of  # noqa: PLC0415

    now_s = time.time()
    plan = _waves(percent, waves, wave_wait, success, patience)
    rules = Rules(
        devices=tuple(device or ()),
        not_before_s=now_s + spans.seconds(after) if spans.seconds(after) else 0.0,
        deadline_s=now_s + spans.seconds(deadline) if deadline else 0.0,
        hours=spans.hours(hours) if hours else None,
        on_battery=battery,
        on_metered=metered,
        watch_s=spans.seconds(watch),
        restarts=restarts,
        most_errors=most_errors,
        most_escalated=most_escalated,
        most_ms=most_ms,
    )
    order = Order(packages=tuple(packages), bases=tuple(base or ()), needs=spans.needs(need or []))
    address = opening.address_of(folder, plain)
    releasing = Releasing(
        folder, passphrase=lambda: passphrase_of(folder, passphrase_file), told=note, now_s=now_s
    )
    vouched = releasing.vouch(order)
    steward = opening.steward_of(folder)
    draft = Course(
        group=group,
        package=vouched.package,
        version=vouched.version,
        rollout=rollout_of(vouched, rules),
        waves=plan,
        began_s=now_s,
    )
    course = steward.rollouts.begin(draft, now_s=now_s)
    filled = opening.fill_broker(steward, address)
    if wait:
        server = opening.server_of(folder, plain, passphrase_file)
        course = opening.follow(steward, course, server)
    document, lines = _told(course, steward.boards(course), filled)
    if not wait:
        following = f"firstline fleet rollout status {course.package} --group {group} --wait"
        lines.append(f"Next:  {following}")
    show(document, lines, as_json=as_json)


def _told(
    course: "Course", boards: "Sequence[Board]", filled: "Filled | None"
) -> tuple[dict[str, object], list[str]]:
    """A release that has begun, for scripts and for people."""
    from firstline.rolling import view  # noqa: PLC0415 - as above

    document = view.document(course, boards) | {
        "plans": {choice.path: choice.sha256 for choice in course.rollout.choices},
        "blocks_published": filled.published if filled else None,
        "blocks_on_request": filled.on_request if filled else None,
    }
    lines = view.lines(course, boards)
    if filled and filled.on_request:
        lines.append(
            f"{filled.on_request} blocks are too many for the broker: boards take them from "
            "'firstline fleet serve'"
        )
    return document, lines


def _waves(
    percent: float | None, waves: str | None, wait: str, success: float, patience: str
) -> "Waves":
    from broker.fleet.releases.waves import Waves  # noqa: PLC0415 - as above

    if percent is not None and waves is not None:
        raise CommandError("choose --percent or --waves", ExitCode.USAGE)
    return Waves(
        percents=spans.percents(waves) if waves else (100.0 if percent is None else percent,),
        wait_s=spans.seconds(wait),
        success=success,
        patience_s=max(spans.seconds(patience), 1.0),
    )
