"""An agent of settings, with one task, for what is measured of it alone.

It imports nothing that the agent does: who weighs one must not share its pages.
"""

import subprocess
import sys
from pathlib import Path

from broker.fleet.mosquitto import RunningBroker

INBOX, ANSWERS = "inbox", "answers"
_SETTINGS = """\
[agent]
credentials = "{keys}"
[broker]
host = "{host}"
port = {port}
[models.commands]
package = "commands-small"
[[tasks]]
name = "home"
model = "commands"
domain = "home"
max_error = {max_error}
input = {{ kind = "folder", path = "inbox" }}
output = {{ kind = "folder", path = "answers" }}
"""


def make_keys(folder: Path) -> Path:
    """Make a fleet with one device; return the device's folder of keys."""
    for words in (
        ("init", str(folder), "--no-passphrase"),
        ("enroll", "board-1", "--folder", "--dir", str(folder)),
    ):
        command = module("firstline", "fleet", *words)
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own module
    return folder / "devices" / "board-1"


def write_settings(
    folder: Path, keys: Path, broker: RunningBroker, *, max_error: float = 1.0
) -> Path:
    """Write the settings of an agent whose folders are in `folder`; return their file.

    With a `max_error` of 1 it keeps every answer, with 0 it asks every question.
    """
    settings = folder / "agent.toml"
    text = _SETTINGS.format(keys=keys, host=broker.host, port=broker.port, max_error=max_error)
    settings.write_text(text, encoding="utf-8")
    return settings


def run_command(settings: Path) -> list[str]:
    """What starts it."""
    return module("firstline", "agent", "run", "--settings", str(settings))


def module(name: str, *arguments: str) -> list[str]:
    """What runs a module of ours."""
    return [sys.executable, "-m", name, *arguments]


def put(folder: Path, name: str, text: str) -> None:
    """Put a question into the agent's inbox."""
    unfinished = folder / INBOX / f".{name}"
    unfinished.write_text(text, encoding="utf-8")
    unfinished.rename(folder / INBOX / f"{name}.txt")


def answers(folder: Path) -> int:
    """How many answers lie in its output."""
    return sum(1 for _ in (folder / ANSWERS).glob("*.json"))
