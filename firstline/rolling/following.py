"""What a connection for releases does beside serving blocks: hears boards, lets waves go on.

.releases   one process for long: `fleet serve`, or a command that waits     see firstline/serving
.operator   commands, for a moment: they sign, and publish what they signed
"""

import time
from collections.abc import Callable
from typing import Final

from broker.fleet.releases.outlet import Outlet
from broker.fleet.releases.publish import publish_metadata
from broker.fleet.releases.serve import subscription
from broker.wire.session import Address
from firstline.rolling.steward import Steward

LOOK_S: Final = 0.5  # how often waves and the folder are looked at
_CONNECT_S: Final = 5.0
SETTLE_S: Final = 2.0  # after a connect, until the retained reports are here


class Following:
    """Lets waves go on while somebody serves the fleet. Use from one thread.

    Args:
        steward: Whose releases.
        outlet: The connection, with `subscriptions`, and the steward for what it takes aside.
        clock: Monotonic seconds.
    """

    def __init__(
        self, steward: Steward, outlet: Outlet, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._steward, self._outlet, self._clock = steward, outlet, clock
        self._connections = 0
        self._next_s = 0.0

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


def subscriptions(steward: Steward) -> list[str]:
    """What who serves and lets waves go on needs to hear."""
    return [subscription(steward.releases.fleet), *steward.subscriptions]


def bring(steward: Steward, address: Address) -> None:
    """Have the broker know what is signed.

    Raises:
        BrokerUnavailableError: it is not there.
        FleetError: it does not take us for its operator, or a file is damaged.
    """
    steward.settle()
    with Outlet(address) as outlet:
        publish_metadata(outlet, steward.releases)


def hear(steward: Steward, address: Address, *, wait_s: float) -> None:
    """Hear what boards say for a while, once the broker is there.

    Raises:
        FleetError: the broker does not take us for its operator.
    """
    with Outlet(address, subscriptions=steward.subscriptions, aside=steward.hear) as outlet:
        give_up_s = time.monotonic() + _CONNECT_S
        while not outlet.connections and time.monotonic() < give_up_s:
            outlet.attend(0.1)
        give_up_s = time.monotonic() + wait_s
        while (left_s := give_up_s - time.monotonic()) > 0:
            outlet.attend(left_s)
