"""`firstline renew`: new keys for this board, granted by the operator to who has the old ones."""

from pathlib import Path
from typing import Annotated

import typer

from broker.wire.session import Address
from firstline.build import AlreadyRunningError, lock
from firstline.console import JsonOption, note, show
from firstline.exits import CommandError
from firstline.renewing import ask, settle
from firstline.settings import source
from firstline.settings.agent import AgentSettings


def renew(
    *,
    settings: Annotated[Path, typer.Option(metavar="FILE", help="The agent's.")],
    wait_s: Annotated[
        float, typer.Option(min=1.0, help="How long to wait until they are granted.")
    ] = 60.0,
    as_json: JsonOption = False,
) -> None:
    """Make new keys on this board and have the operator grant them; its agent must be stopped."""
    read, base = source.read(settings, AgentSettings), settings.resolve().parent
    keys = base / read.agent.credentials
    if read.broker.certificates not in (None, read.agent.credentials):
        raise CommandError("with [broker] certificates elsewhere, renew those where they come from")
    try:
        held = lock(base / read.agent.state)
    except AlreadyRunningError:
        raise CommandError(
            "the agent runs, and has its keys from its start: stop it, renew, start it again"
        ) from None
    with held:
        settle(keys)  # one that was cut short
        address = Address(
            host=read.broker.host,
            port=read.broker.port,
            client_id="",
            tls=read.broker.tls_files(read.agent.credentials, base),
        )
        name = ask(keys, address, wait_s=wait_s, told=note)
    document: dict[str, object] = {"device_key": name, "keys": keys}
    lines = (
        f"This board has new keys in {keys}; the old ones are gone from it.",
        "Next:  firstline agent run --settings agent.toml",
    )
    show(document, lines, as_json=as_json)
