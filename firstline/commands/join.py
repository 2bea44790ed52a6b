"""`firstline join`: make this board's keys here, and have a fleet's operator let it in."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from broker.wire.credentials import DeviceCard
from broker.wire.errors import JoinRefusedError
from broker.wire.join_code import JoinCode
from broker.wire.topics import FleetId, is_name
from firstline import service
from firstline.commands.fleet_options import DEFAULT_FLEET, FleetOption
from firstline.console import JsonOption, note, show
from firstline.exits import CommandError, ExitCode
from firstline.joining.board import Asker
from firstline.joining.meeting import board_address, plain_board_address
from firstline.joining.stage import finish, joined, staged
from firstline.places import JOIN_PORT, PLAIN_PORT, parse_place

_REASONS = {
    "used": "this code has been used already. If that was not this board, somebody else has it: "
    "revoke the device, and ask for another code",
    "expired": "this code has expired: ask for another one",
    "unknown": "the broker does not know this code: it has expired, or is of another fleet",
}

CodeArgument = Annotated[
    str | None, typer.Argument(metavar="[CODE]", help="Of the operator; asked for if absent.")
]
BrokerOption = Annotated[
    str, typer.Option(metavar="HOST:PORT", help="The fleet's broker; PORT is the one to join.")
]


def join(  # noqa: PLR0913 - each is an option of the command
    code: CodeArgument = None,
    *,
    broker: BrokerOption,
    plain: Annotated[bool, typer.Option(help="The broker speaks no TLS.")] = False,
    keys: Annotated[
        Path, typer.Option(metavar="DIR", help="Where this board's keys shall lie.")
    ] = Path("keys"),
    fleet: FleetOption = DEFAULT_FLEET,
    wait_s: Annotated[float, typer.Option(min=1.0, help="How long to wait to be let in.")] = 900.0,
    as_json: JsonOption = False,
) -> None:
    """Make this board a device of a fleet. Its private keys are made here and stay here."""
    host, port = parse_place(broker, PLAIN_PORT if plain else JOIN_PORT)
    if not is_name(fleet):
        raise CommandError(f"{fleet!r} is no fleet's name", ExitCode.USAGE)
    secret = _parsed(code).secret(FleetId(fleet))
    card, fleet_port = joined(keys, secret), 0
    if card is None:
        make_address = plain_board_address if plain else board_address
        with staged(keys, secret) as stage:
            asker = Asker(fleet=FleetId(fleet), secret=secret, request=stage.request, told=note)
            try:
                welcome = asker.ask(make_address(host, port, secret), wait_s=wait_s)
            except JoinRefusedError as error:
                raise JoinRefusedError(_REASONS[str(error)]) from None
            card = finish(stage, welcome)
        fleet_port = welcome.port
    _show(card, keys, host, fleet_port, as_json=as_json)


def _show(card: DeviceCard, keys: Path, host: str, port: int, *, as_json: bool) -> None:
    document = {
        "fleet": card.fleet,
        "device": card.device,
        "pool": card.pool,
        "keys": keys,
        "broker_port": port or None,
    }
    runs = keys.absolute() == service.KEYS and service.UNIT.exists()
    start = service.next_step() if runs else "firstline agent run --settings agent.toml"
    lines = (
        f"This board is {card.device!r} of the fleet {card.fleet!r}, and asks {card.pool!r}.",
        "For its settings:",
        *_settings(host, port),
        "  [agent]",
        f'  credentials = "{keys.absolute()}"',
        f"Next:  {start}",
    )
    show(document, lines, as_json=as_json)


def _settings(host: str, port: int) -> tuple[str, ...]:
    if not port:
        return ()
    return ("  [broker]", f'  host = "{host}"', f"  port = {port}", "  tls = true")


def _parsed(code: str | None) -> JoinCode:
    if code is None:
        if not sys.stdin.isatty():
            raise CommandError("no code: it is the first argument", ExitCode.USAGE)
        code = typer.prompt("Code", err=True)
    try:
        return JoinCode.parse(code)
    except ValueError as error:
        raise CommandError(f"this is no code: {error}", ExitCode.USAGE) from None
