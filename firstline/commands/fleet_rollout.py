"""`firstline fleet rollout`: what becomes of releases, and how to stop them.

status           each board, and how far the waves are; --wait follows to the end
pause, resume    nobody begins, downloads hold; and on again
abort            downloads end, who is being watched goes back
forget           what is released no more and no board runs: its files, its signature
history          who did what and when, and whether the log is as it was written
"""

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import to_builtins

from firstline.commands import noun
from firstline.commands.fleet_options import DEFAULT_FOLDER, FolderOption, PlainOption
from firstline.console import JsonOption, columns, show
from firstline.dates import minute
from firstline.exits import ExitCode
from firstline.passphrases import PassphraseFile, passphrase_of

if TYPE_CHECKING:
    from broker.fleet.releases.courses import Course
    from firstline.rolling.steward import Steward

PackageArgument = Annotated[
    str | None,
    typer.Argument(metavar="[PACKAGE]", help="Its name, where several were released."),
]
GroupOption = Annotated[str | None, typer.Option(metavar="NAME", help="The group it is for.")]
WhyOption = Annotated[str, typer.Option(metavar="WORDS", help="Goes into the history.")]

app = noun("What becomes of releases, and how to stop them.")

# What follows imports its parts late: the other verbs of `fleet` need neither MQTT nor TUF.


@app.command()
def status(  # noqa: PLR0913 - each is an option of the command
    package: PackageArgument = None,
    *,
    group: GroupOption = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Follow one release to its end; its waves go on.")
    ] = False,
    wait_s: Annotated[float, typer.Option(min=0.1, max=60.0, help="How long to listen.")] = 1.0,
    folder: FolderOption = DEFAULT_FOLDER,
    plain: PlainOption = None,
    passphrase_file: PassphraseFile = None,
    as_json: JsonOption = False,
) -> None:
    """Show each release, and how far each board is with it."""
    from firstline.rolling import following, opening, view  # noqa: PLC0415

    steward = opening.steward_of(folder)
    courses = steward.rollouts.courses
    if wait:
        server = opening.server_of(folder, plain, passphrase_file)
        chosen = [opening.follow(steward, courses.one(package, group), server)]
    else:
        following.hear(steward, opening.address_of(folder, plain), wait_s=wait_s)
        chosen = [courses.one(package, group)] if package or group else courses.all()
    counters = steward.reports.counters
    releases = [view.document(each, steward.boards(each)) for each in chosen]
    lines = [line for each in chosen for line in view.lines(each, steward.boards(each))]
    lines += [f"{name}  {count}" for name, count in sorted(counters.items()) if count]
    damaged = view.damaged(steward.reports.latest)
    lines += [
        f"{name}: {count} copies of its floor were damaged" for name, count in damaged.items()
    ]
    document = {"releases": releases, "counters": dict(counters), "floors_damaged": damaged}
    show(document, lines or ["Nothing was released yet."], as_json=as_json)


def _stopping(act: "Callable[[Steward, Course, str], Course]") -> Callable[..., None]:
    """What `pause` and `abort` take; they differ in what they do to the release."""

    def stop(  # noqa: PLR0913 - each is an option of the command
        package: PackageArgument = None,
        *,
        group: GroupOption = None,
        why: WhyOption = "",
        folder: FolderOption = DEFAULT_FOLDER,
        plain: PlainOption = None,
        as_json: JsonOption = False,
    ) -> None:
        from firstline.rolling.opening import change  # noqa: PLC0415

        result = change(
            folder, plain, (package, group), lambda steward, course: act(steward, course, why)
        )
        show(*result, as_json=as_json)

    return stop


app.command(
    "pause", help="Let nobody begin; downloads hold, and boards that have switched are watched on."
)(_stopping(lambda steward, course, why: steward.rollouts.pause(course, why, now_s=time.time())))


@app.command()
def resume(  # noqa: PLR0913 - each is an option of the command
    package: PackageArgument = None,
    *,
    group: GroupOption = None,
    success: Annotated[
        float | None, typer.Option(min=0.01, max=1.0, help="Another share that must be done.")
    ] = None,
    percent: Annotated[
        float | None, typer.Option(min=0.0, max=100.0, help="To so many of the group's boards.")
    ] = None,
    folder: FolderOption = DEFAULT_FOLDER,
    plain: PlainOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let a paused or halted release go on, or a finished one to more boards."""
    from firstline.rolling.opening import change  # noqa: PLC0415

    result = change(
        folder,
        plain,
        (package, group),
        lambda steward, course: steward.rollouts.resume(
            course, success=success, percent=percent, now_s=time.time()
        ),
    )
    show(*result, as_json=as_json)


app.command(
    "abort", help="End a release for ever: downloads stop, boards that are being watched go back."
)(_stopping(lambda steward, course, why: steward.rollouts.abort(course, why, now_s=time.time())))


@app.command()
def forget(  # noqa: PLR0913 - each is an option of the command
    package: PackageArgument = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    wait_s: Annotated[float, typer.Option(min=0.1, max=60.0, help="How long to listen.")] = 1.0,
    folder: FolderOption = DEFAULT_FOLDER,
    plain: PlainOption = None,
    passphrase_file: PassphraseFile = None,
    as_json: JsonOption = False,
) -> None:
    """Let go of old releases that no board runs: their files here and at the broker."""
    from broker.fleet.releases import forgetting  # noqa: PLC0415
    from firstline.rolling import following, opening  # noqa: PLC0415

    steward, address = opening.steward_of(folder), opening.address_of(folder, plain)
    following.hear(steward, address, wait_s=wait_s)
    ledger, reports = steward.rollouts.ledger, steward.reports.latest
    old = forgetting.old_releases(ledger, package, reports, steward.rollouts.roster)
    files = 0
    if old.free and not dry_run:
        secret = passphrase_of(folder, passphrase_file)
        files = forgetting.forget(ledger, old, passphrase=secret, now_s=time.time())
        opening.fill_broker(steward, address)
    said = "may go" if dry_run else "is gone"
    lines = [f"{path} {said}" for path in sorted(old.free)]
    lines += [f"{path} stays: {', '.join(who)} run it" for path, who in sorted(old.held.items())]
    lines += [] if dry_run else [f"{files} files are deleted"]
    document = {
        "forgotten": [] if dry_run else sorted(old.free),
        "free": sorted(old.free),
        "held": {path: list(who) for path, who in old.held.items()},
        "files": files,
    }
    show(document, lines, as_json=as_json)


@app.command()
def history(
    package: PackageArgument = None,
    *,
    group: GroupOption = None,
    folder: FolderOption = DEFAULT_FOLDER,
    as_json: JsonOption = False,
) -> ExitCode:
    """Show who did what to releases, and say where the log was altered."""
    from firstline.rolling.opening import steward_of  # noqa: PLC0415

    found = steward_of(folder).rollouts.ledger.history()
    entries = [
        each
        for each in found.entries
        if package in {None, each.package} and group in {None, each.group}
    ]
    heading = ("when", "who", "what", "release", "words")
    rows = [
        (minute(e.at_s), e.who, e.what, f"{e.release} of {e.package} for {e.group}", e.words)
        for e in entries
    ]
    lines = columns([heading, *rows]) if rows else ["Nothing was released yet."]
    lines += [f"ALTERED: line {each.line}: {each.why}" for each in found.damages]
    document = {
        "entries": [to_builtins(each) for each in entries],
        "altered": [asdict(each) for each in found.damages],
    }
    show(document, lines, as_json=as_json)
    return ExitCode.KEYS if found.damages else ExitCode.OK
