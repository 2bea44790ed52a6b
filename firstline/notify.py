"""What a service tells systemd: that it is ready, that it lives, what it does. sd_notify(3).

Datagrams to the socket that systemd names in NOTIFY_SOCKET; without it nothing is sent, and
nothing here ever fails. `alive` is called by the service's one loop, so a loop that hangs ends the
pings, and systemd starts the service anew (WatchdogSec= in its unit).
"""

import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress

_USUAL_PAUSE_S = 10.0  # between two pings, and between two words of status
_PINGS = 4  # in the time that the watchdog waits, at least


class Notifier:
    """One service's line to systemd.

    Args:
        longest_s: What the loop may take for one event; the watchdog must wait longer.
        doing: What the service does now, in words, for `systemctl status`.
    """

    def __init__(self, *, longest_s: float, doing: Callable[[], str]) -> None:
        self._address = os.environ.pop("NOTIFY_SOCKET", "")  # not for those whom we start
        # Without a watchdog in the unit there is none to be made longer.
        given_s = int(os.environ.pop("WATCHDOG_USEC", "0")) / 1e6
        self._watchdog_s = max(given_s, longest_s) if given_s else 0.0
        self._doing, self._said, self._next_s = doing, False, 0.0
        self._pause_s = min(_USUAL_PAUSE_S, (given_s or _USUAL_PAUSE_S) / _PINGS)

    def alive(self) -> None:
        """Ping, if it is time to; the first time it also says that the service is ready."""
        now_s = time.monotonic()
        if not self._address or now_s < self._next_s:
            return
        self._next_s = now_s + self._pause_s
        words = ["WATCHDOG=1", f"STATUS={self._doing()}"]
        if not self._said:
            longer = [f"WATCHDOG_USEC={int(self._watchdog_s * 1e6)}"] if self._watchdog_s else []
            words, self._said = ["READY=1", *longer, *words], True
        self._send(words)

    def _send(self, words: list[str]) -> None:
        address = self._address
        if address.startswith("@"):  # an abstract name, unix(7)
            address = "\0" + address[1:]
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.settimeout(0.0)  # a full socket must not stop the loop
            line.sendto("\n".join(words).encode(), address)
