"""`firstline exit-codes`."""

from firstline.console import JsonOption, show
from firstline.exits import MEANINGS


def exit_codes(*, as_json: JsonOption = False) -> None:
    """List the exit codes."""
    document = {str(code.value): meaning for code, meaning in MEANINGS.items()}
    lines = (f"{code.value:>5}  {meaning}" for code, meaning in MEANINGS.items())
    show({"exit_codes": document}, lines, as_json=as_json)
