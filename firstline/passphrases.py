"""The passphrase of a fleet's keys: from a file, from the environment, or typed.

    --passphrase-file FILE  >  FIRSTLINE_PASSPHRASE_FILE  >  FIRSTLINE_PASSPHRASE  >  a question

Never an argument: others could read it in the list of processes.
"""

import os
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from broker.fleet.passphrase import is_locked
from broker.fleet.root import wants_passphrase
from firstline.exits import CommandError, ExitCode

_VARIABLE: Final = "FIRSTLINE_PASSPHRASE"
_MIN_CHARACTERS: Final = 8  # scrypt makes each try cost a third of a second, not more

PassphraseFile = Annotated[
    Path | None,
    typer.Option("--passphrase-file", metavar="FILE", help=f"Its first line; or {_VARIABLE}."),
]


def new_passphrase(file: Path | None) -> str:
    """The passphrase that a new fleet's keys shall have.

    Raises:
        CommandError: there is none, or it is too short.
    """
    passphrase = _given(file)
    if passphrase is None:
        passphrase = _typed("New passphrase of the fleet's keys", twice=True)
    if len(passphrase) < _MIN_CHARACTERS:
        raise CommandError(
            f"the passphrase is too short: {_MIN_CHARACTERS} characters at least",
            ExitCode.USAGE,
        )
    return passphrase


def passphrase_of(folder: Path, file: Path | None) -> str | None:
    """The passphrase of a fleet's keys; None where they have none.

    Raises:
        NotAFleetError: there is no fleet.
        CommandError: they have one, and it is not to be had.
    """
    if not wants_passphrase(folder):
        return None
    passphrase = _given(file)
    return _typed("Passphrase of the fleet's keys") if passphrase is None else passphrase


def passphrase_of_key(key: Path, file: Path | None) -> str | None:
    """The passphrase of one key's file; None where it has none, or is not there.

    Raises:
        CommandError: it has one, and it is not to be had.
    """
    if not key.exists() or not is_locked(key.read_bytes()):
        return None
    passphrase = _given(file)
    return _typed(f"Passphrase of {key.name}") if passphrase is None else passphrase


def _given(file: Path | None) -> str | None:
    named = os.environ.get(f"{_VARIABLE}_FILE")  # as containers name secrets
    file = file or (Path(named) if named else None)
    if file is None:
        return os.environ.get(_VARIABLE)
    lines = file.read_text(encoding="utf-8").splitlines()
    return lines[0] if lines else ""


def _typed(question: str, *, twice: bool = False) -> str:
    if not sys.stdin.isatty():
        raise CommandError(
            f"no passphrase: give --passphrase-file FILE, or set {_VARIABLE}",
            ExitCode.USAGE,
        )
    typed: str = typer.prompt(question, hide_input=True, confirmation_prompt=twice, err=True)
    return typed
