"""`firstline status`: what the agent on this board does now."""

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from firstline import service
from firstline.console import JsonOption, show
from firstline.exits import CommandError, ExitCode

_STUCK_S = 120.0  # a loop that has written nothing for so long hangs in a question
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 86_400

# What the agent wrote, see agent/shell/status.py: it is only shown.
Document = Mapping[str, Any]


def status(
    *,
    settings: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Of an agent that systemd does not run."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the running agent's queue, models, power, temperature and memory."""
    document = _read(service.STATUS if settings is None else _of(settings))
    show(document, _lines(document), as_json=as_json)


def _of(settings: Path) -> Path:
    from agent.shell.status import STATUS  # noqa: PLC0415 - it brings the engines' side along
    from firstline.settings.agent import AgentSettings  # noqa: PLC0415 - 13 MiB, not always needed
    from firstline.settings.source import read  # noqa: PLC0415 - the same

    return settings.resolve().parent / read(settings, AgentSettings).agent.state / STATUS


def _read(file: Path) -> Document:
    """Read the file of an agent that runs.

    Raises:
        CommandError: none does, or it hangs, or it is not ours to look at.
    """
    run = "firstline agent run --settings FILE"
    start = service.next_step() if file == service.STATUS else run
    try:
        found = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise CommandError(f"no agent runs here: there is no {file}", fix=start) from None
    except PermissionError:
        raise CommandError(f"{file} may not be read", fix="sudo firstline status") from None
    except ValueError as error:
        raise CommandError(f"{file} cannot be read: {error}", fix=start) from error
    now_s = time.clock_gettime(time.CLOCK_BOOTTIME)
    ages = {"age_s": now_s - found["written_s"], "up_s": now_s - found["started_s"]}
    document: Document = found | ages
    if not Path(f"/proc/{document['pid']}").exists():
        raise CommandError(f"the agent has ended; {file} tells its last state", fix=start)
    if document["age_s"] > _STUCK_S:
        logs = "journalctl -u firstline-agent"
        message = f"the agent has told nothing for {_span(document['age_s'])}: it hangs"
        raise CommandError(message, ExitCode.TIMEOUT, fix=logs)
    return document


def _lines(found: Document) -> Iterator[str]:
    yield f"{found['fleet']}/{found['device']}  firstline {found['version']}, pid {found['pid']}"
    yield f"up        {_span(found['up_s'])}"
    yield f"link      {'online' if found['online'] else 'offline'}, pool {found['pool']}"
    reason = f": {found['trouble']}" if found["trouble"] else ""
    yield f"queue     {found['waiting']} waiting{reason}"
    for number, model in enumerate(found["models"]):
        yield f"{'models' if number == 0 else '':<10}{_model(model)}"
    yield f"board     {_board(found['board'])}"
    yield f"measures  {_measures(found['measures'])}"
    whole_mb = found["memory_mb"] + sum(model["memory_mb"] or 0.0 for model in found["models"])
    yield f"memory    {found['memory_mb']:.0f} MiB, {whole_mb:.0f} with the models"
    yield f"written   {_writes(found['writes'])}"
    for name, count in sorted(found["counters"].items()):
        yield f"    {name}  {count}"


def _model(model: Document) -> str:
    loaded = f"{model['memory_mb']:.0f} MiB" if model["pid"] else "not loaded"
    threads = f"{model['threads']} thread{'s' if model['threads'] > 1 else ''}"
    return f"{model['package']}, {threads}, {loaded}, {model['starts']} starts"


def _board(board: Document) -> str:
    heat = board["temperature_c"]
    words = ["temperature unknown" if heat is None else f"{heat:.0f} degrees Celsius"]
    words += ["slowed down"] if board["slowed"] else []
    charge = "" if board["charge"] is None else f" ({board['charge']:.0%} charged)"
    words.append(("on battery" if board["on_battery"] else "on mains") + charge)
    words.append("the link is metered" if board["metered"] else "the link is not metered")
    return ", ".join(words)


def _measures(taken: Document) -> str:
    words = ["half the threads, since it is hot"] if taken["hot"] else []
    words += ["asking is costly, see frugal_share and frugal_wait_s"] if taken["costly"] else []
    return "; ".join(words) or "none"


def _writes(writes: Document) -> str:
    budget = writes["budget_mb_per_day"]
    of = "" if budget is None else f" of {budget:.0f} that it may"
    a_day = f"{writes['mb_per_day']:.0f} MB a day{of}"
    return f"{writes['mb']:.1f} MB to disk since it started, {a_day}"


def _span(seconds: float) -> str:
    """A time in its two largest units."""
    whole = int(seconds)
    days, hours = whole // _DAY_S, whole % _DAY_S // _HOUR_S
    minutes, rest = whole % _HOUR_S // _MINUTE_S, whole % _MINUTE_S
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
