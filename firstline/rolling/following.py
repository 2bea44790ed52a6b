"""The operator's one connection for releases: held for long by one process, used by all.

The broker knows one operator, by one certificate, so a second connection ends the first. Who is
connected for long holds a lock; a command beside it only signs, and who holds the lock publishes
what was signed within seconds.

    DIR/releases/.line    locked by whoever is connected for long
"""

import fcntl
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from broker.fleet.private import make_private
from broker.fleet.releases.outlet import PATIENCE_S, Outlet
from broker.fleet.releases.publish import Filled, publish_metadata
from broker.fleet.releases.serve import Budget, Server, subscription
from broker.wire.session import Address, Received
from firstline.rolling.steward import Steward

LOOK_S: Final = 0.5  # how often waves and the folder are looked at
SETTLE_S: Final = 2.0  # after a connect, until the retained reports are here
_LOCK: Final = ".line"
_USUAL: Final = Budget()


@contextmanager
def taken(releases: Path) -> Iterator[bool]:
    """Take the connection for us; False: somebody else has it.

    Raises:
        OSError: the disk refused.
    """
    make_private(releases)
    descriptor = os.open(releases / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield _locks(descriptor)
    finally:
        os.close(descriptor)


class Following:
    """Lets waves go on while somebody serves the fleet. Use from one thread.

    Args:
        steward: Whose releases.
        outlet: The connection, with the steward's subscriptions.
        clock: Monotonic seconds.
    """

    def __init__(
        self, steward: Steward, outlet: Outlet, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._steward, self._outlet, self._clock = steward, outlet, clock
        self._connections = 0
        self._next_s = 0.0

    def hear(self, message: Received) -> None:
        """Take what a board says."""
        self._steward.hear(message.topic, message.payload)

    def look(self) -> list[str]:
        """Do what is due; what happened, in words. Nothing happens while the broker is away.

        Raises:
            FleetError: a file is damaged, or a change cannot be signed.
            OSError: the disk refused.
        """
        if self._outlet.connections != self._connections:
            # Nobody goes on before it has heard what became of the boards meanwhile.
            self._connections = self._outlet.connections
            self._next_s = self._clock() + SETTLE_S
        if not self._outlet.has_room or self._clock() < self._next_s:
            return []
        self._next_s = self._clock() + LOOK_S
        return self._steward.tick()


def serve(  # noqa: PLR0913 - all its parts, by name
    steward: Steward,
    outlet: Outlet,
    *,
    stopped: Callable[[], bool],
    told: Callable[[str], None],
    budget: Budget = _USUAL,
    filled: Callable[[Filled], None] = lambda _filled: None,
) -> Counter[str]:
    """Serve blocks and let waves go on, until we are told to stop; what was counted.

    Raises:
        FleetError: a file is damaged, or the broker does not take us for its operator.
        OSError: the disk refused.
    """
    following = Following(steward, outlet)

    def stop() -> bool:
        for words in following.look():
            told(words)
        return stopped()

    server = Server(
        outlet,
        steward.releases,
        budget=budget,
        filled=filled,
        others=following.hear,
    )
    server.run(stop)
    return server.counters + server.requests.counters


def subscriptions(steward: Steward) -> list[str]:
    """What who serves and lets waves go on needs to hear."""
    return [subscription(steward.releases.fleet), *steward.subscriptions]


def bring(steward: Steward, address: Address, *, patience_s: float = PATIENCE_S) -> bool:
    """Have the broker know what is signed; False: who is connected does it within seconds.

    Raises:
        BrokerUnavailableError: it is not there.
        FleetError: it does not take us for its operator, or a file is damaged.
    """
    steward.settle()
    with taken(steward.rollouts.ledger.folder) as ours:
        if ours:
            with Outlet(address, patience_s=patience_s) as outlet:
                publish_metadata(outlet, steward.releases)
        return ours


def hear(steward: Steward, address: Address, *, wait_s: float) -> bool:
    """Hear what boards say for a while; False: who is connected hears and keeps it.

    Raises:
        RulesRefusedError: the broker does not take us for its operator.
        OSError: the disk refused.
    """
    with taken(steward.rollouts.ledger.folder) as ours:
        if ours:
            give_up_s = time.monotonic() + wait_s
            with Outlet(address, subscriptions=steward.subscriptions) as outlet:
                while (left_s := give_up_s - time.monotonic()) > 0:
                    outlet.attend(left_s)
                    while outlet.heard:
                        message = outlet.heard.popleft()
                        steward.hear(message.topic, message.payload)
            steward.reports.keep()
        return ours


def _locks(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
