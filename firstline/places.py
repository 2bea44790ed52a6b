"""HOST:PORT, as a person types it."""

from typing import Final

from firstline.exits import CommandError, ExitCode

PLAIN_PORT: Final = 1883
TLS_PORT: Final = 8883
JOIN_PORT: Final = 8884  # of a fleet's broker, for boards that have no certificate yet


def parse_place(text: str, default_port: int) -> tuple[str, int]:
    """Read HOST, HOST:PORT or [ADDRESS]:PORT.

    Raises:
        CommandError: it is none.
    """
    host, colon, port = text.rpartition(":")
    if not colon or (":" in host and not host.endswith("]")):  # no port; or a bare IPv6 address
        host, port = text, str(default_port)
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or not 0 < int(port) < 2**16:
        raise CommandError(f"{text!r}: the broker is HOST:PORT", ExitCode.USAGE)
    return host, int(port)
