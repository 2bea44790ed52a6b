"""Where things are of an agent that systemd runs: see firmware_configs/systemd."""

from contextlib import suppress
from pathlib import Path

UNIT = Path("/etc/systemd/system/firstline-agent.service")
KEYS = Path("/etc/firstline/keys")
STATUS = Path("/run/firstline/status.json")

_JOIN = f"sudo firstline join CODE --broker HOST:8884 --keys {KEYS}"
_START = "sudo systemctl enable --now firstline-agent"


def next_step() -> str:
    """What is to be done so that it runs."""
    with suppress(PermissionError):  # whoever may not look there is told the usual
        if not (KEYS / "device.json").exists():
            return _JOIN
    return _START
