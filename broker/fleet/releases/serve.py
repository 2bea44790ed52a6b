"""Serves what the broker does not hold, and has it hold what it should: for as long as one likes.

    connected, or a release changed --> fill the broker: see `publish`
    wants of boards --in turn--> block, retained for a while, so that others who come find it
                    `-- the oldest of those is withdrawn when they are too many

The broker's memory is bounded that way however long a release is.
"""

import logging
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from broker.fleet.errors import FleetError
from broker.fleet.releases.outlet import Outlet
from broker.fleet.releases.publish import (
    EXPIRY_S,
    Filled,
    Progress,
    Releases,
    block_messages,
    fill,
    withdrawals,
)
from broker.fleet.releases.repository import Repository
from broker.fleet.releases.requests import Requests
from broker.fleet.releases.shelf import Shelf
from broker.fleet.releases.stock import Stock
from broker.wire.errors import BrokerUnavailableError
from broker.wire.release import BLOCK_BYTES, Wants, digest
from broker.wire.session import Received
from broker.wire.topics import (
    DeviceId,
    FleetId,
    device_wants,
    parse_device_wants,
    release_block,
)

_log = logging.getLogger(__name__)

PASSING_BYTES: Final = 32 * 1024 * 1024  # served on request that the broker holds at once
_PASSING_S: Final = 3600  # and for how long at most
_LOOK_S: Final = 2.0  # how often we look whether a release changed
_TIMES: Final = 2  # of all that there is, that one board may have sent in a day


@dataclass(frozen=True, slots=True)
class Budget:
    """The broker's memory for releases."""

    retained_bytes: int | None = None  # None: what was said last, for each release anew
    passing_bytes: int = PASSING_BYTES


def subscription(fleet: FleetId) -> str:
    """What boards say to who serves."""
    return device_wants(fleet, DeviceId("+"))


class Server:
    """Serves one fleet.

    Args:
        outlet: The connection, with the subscription above.
        releases: Whose.
        budget: The broker's memory.
        filled: Told when the broker was filled.
        progress: Told while it is.
    """

    def __init__(
        self,
        outlet: Outlet,
        releases: Releases,
        *,
        budget: Budget,
        filled: Callable[[Filled], None],
        progress: Progress = lambda _done, _all: None,
    ) -> None:
        self._outlet = outlet
        self._releases = releases
        self._budget = budget
        self._filled = filled
        self._progress = progress
        self._passing: OrderedDict[str, None] = OrderedDict()
        self._retained: frozenset[str] = frozenset()
        self._connections = self._dated = 0
        self._looked_s = 0.0
        self.counters: Counter[str] = Counter()  # see `fleet serve --json`
        self._open()

    def run(self, stop: Callable[[], bool]) -> None:
        """Serve until we are told to stop.

        Raises:
            RulesRefusedError: the broker does not take us for one who serves.
            NotAFleetError: there are no releases, or a file of them is missing or damaged.
            OSError: the disk failed.
        """
        while not stop():
            self._look()
            self._hear()
            if not self._send():
                self._outlet.attend(0.1)

    def _open(self) -> None:
        self._stock = Stock(self._releases.folder)
        quota = max(_TIMES * self._stock.bytes, self._budget.passing_bytes)
        self.requests = Requests(self._stock.size_of, quota_bytes=quota)

    def _look(self) -> None:
        now_s = time.monotonic()
        new = self._outlet.connections != self._connections
        if not new and now_s < self._looked_s + _LOOK_S:
            return
        self._looked_s = now_s
        self._freshen()
        dated = Shelf(self._releases.folder).changed_ns()
        if not self._outlet.connections or (not new and dated == self._dated):
            return
        if dated != self._dated:
            self._open()
        self.requests.forget_sent()
        try:
            done = fill(
                self._outlet,
                self._releases,
                budget_bytes=self._budget.retained_bytes,
                progress=self._progress,
            )
        except BrokerUnavailableError as error:
            _log.warning("%s; trying again", error)
            return
        self._connections, self._dated = self._outlet.connections, dated
        self.counters["fills"] += 1
        self.requests.held = self._retained = done.retained
        self._filled(done)

    def _freshen(self) -> None:
        """Date it each day, or boards would find it expired after a week."""
        try:
            if Repository(self._releases.folder).freshen(now_s=time.time()):
                self.counters["freshened"] += 1
        except FleetError as error:
            _log.error("not dated anew: %s", error)

    def _hear(self) -> None:
        while self._outlet.heard:
            self._ask(self._outlet.heard.popleft())

    def _ask(self, message: Received) -> None:
        device = parse_device_wants(message.topic)
        try:
            wants = Wants.read(message.payload)
        except ValueError:
            self.counters["wants_malformed"] += 1
            return
        if device is not None:
            self.requests.ask(device, wants.blocks, now_s=time.monotonic())

    def _send(self) -> bool:
        if not self._outlet.has_room:
            return False
        name = self.requests.next(now_s=time.monotonic())
        if name is None:
            return False
        if self._is_held(name):
            self.counters["blocks_held"] += 1
            return True
        passing = name not in self._retained
        expiry_s = _PASSING_S if passing else EXPIRY_S
        found = block_messages(self._stock, self._releases.fleet, [name], expiry_s=expiry_s)
        message = next(found, None)
        if message is None:
            self.counters["blocks_damaged"] += 1
            _log.error("block %s is damaged here: nobody can be given it", name)
        elif self._outlet.send(message):
            self.counters["blocks_served"] += 1
            if passing:
                self._pass(name)
        return True

    def _is_held(self, name: str) -> bool:
        """Whether the broker brings a block that it should hold; if not, it may lack others too."""
        if name not in self.requests.held:
            return False
        try:
            data = self._outlet.ask(release_block(self._releases.fleet, name))
        except BrokerUnavailableError:
            return True  # the board asks again, and we look anew when we are back
        if data is None:
            self.requests.held = frozenset()
        return data is not None and digest(data) == name

    def _pass(self, name: str) -> None:
        self._passing[name] = None
        self._passing.move_to_end(name)
        while len(self._passing) * BLOCK_BYTES > self._budget.passing_bytes:
            oldest, _ = self._passing.popitem(last=False)
            for message in withdrawals(self._releases.fleet, [oldest]):
                self._outlet.send(message)
            self.counters["blocks_withdrawn"] += 1
