"""Brings blocks onto the board: a sliding window of subscriptions, each block verified at once.

    names that lack --watch--> broker: what is retained comes --verify--> disk --unwatch-->
                    --wants--> operator: what the broker does not hold, on the same topic

The window is the flow control, and it is small: the board's questions and answers go over the same
connection, so what is on its way takes two seconds at most, or is one block. A block that is wrong
is named, counted and asked for again; nothing of it is kept.
"""

import logging
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from agent.update.errors import StoppedError
from agent.update.line import Heard, Line
from broker.wire.release import MOST_WANTED, Wants, digest
from broker.wire.topics import (
    DeviceId,
    FleetId,
    device_wants,
    parse_release_block,
    release_block,
)

_log = logging.getLogger(__name__)

_LOOK_S: Final = 0.2  # how often we look whether to stop, and what is overdue
_AHEAD_S: Final = 2.0  # what the window may hold up an answer on the same connection
_INSTANT_S: Final = 1e-3
_TIMES: Final = 4  # as long as a block takes: silence for so long is no slow link
_TRY_WITHOUT: Final = 32  # of so many blocks, one is not asked for: the broker may hold it again

Stop = Callable[[Heard | None], bool]  # shown what is not a block; whether to stop
Take = Callable[[str, bytes], None]  # a block's name, and its bytes


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for what."""

    want_s: float = 2.0  # of silence, until the operator is asked; more on a slow link
    again_s: float = 8.0  # until that is done again; more on a slow link
    most_s: float = 300.0  # between later repeats
    window: int = 8  # most blocks on their way: 1 MiB


@dataclass(slots=True)
class _Awaited:
    number: int  # in the order of subscriptions: what is retained comes in that order
    since_s: float
    due_s: float
    pause_s: float
    wanted: bool = False


class Window:
    """Brings blocks over a line.

    Args:
        line: To the broker.
        fleet: Ours.
        device: Us.
        stop: Called several times a second, and with each message that is not a block.
        patience: How long to wait for what.
    """

    def __init__(
        self,
        *,
        line: Line,
        fleet: FleetId,
        device: DeviceId,
        stop: Stop,
        patience: Patience | None = None,
    ) -> None:
        self._line = line
        self._fleet = fleet
        self._wants = device_wants(fleet, device)
        self._stop = stop
        self._patience = patience or Patience()
        self._awaited: dict[str, _Awaited] = {}
        self._number = self._newest = 0  # the last subscribed, and the last of those that came
        self._window = min(4, self._patience.window)
        self._served = False  # by the operator on request: the last block came only so
        self._heard_s = self._took_s = 0.0  # when the last block came, and how long they take
        self.counters: Counter[str] = Counter()  # blocks, bytes, blocks_bad, blocks_wanted, ...

    def bring(self, names: Iterator[str], take: Take) -> None:
        """Bring blocks; `take` gets each as soon as it is verified, with its name.

        Raises:
            StoppedError: we were told to.
            LineClosedError: there is no agent any more.
        """
        try:
            self._fill(names)
            while self._awaited:
                heard = self._line.hear(_LOOK_S)
                topic = None if heard is None else parse_release_block(heard.topic)
                if heard is not None and topic is not None:
                    self._take(topic, heard.payload, take)
                    heard = None
                if self._stop(heard):
                    raise StoppedError("told to stop")
                self._fill(names)
                self._ask_again()
        finally:
            self._unwatch(list(self._awaited))
            self._awaited.clear()

    @property
    def _pause_s(self) -> float:
        """Of silence, that is longer than a slow link needs."""
        return max(self._patience.want_s, _TIMES * self._took_s)

    def _fill(self, names: Iterator[str]) -> None:
        now_s, new = time.monotonic(), []
        pause_s = self._pause_s
        while len(self._awaited) < self._window and (name := next(names, None)) is not None:
            self._number += 1
            self._awaited[name] = _Awaited(self._number, now_s, now_s + pause_s, pause_s)
            new.append(name)
        if new:
            self._line.watch([release_block(self._fleet, name) for name in new])
            if self._served and self._number % _TRY_WITHOUT:
                self._want(new)

    def _take(self, name: str, data: bytes, take: Take) -> None:
        awaited = self._awaited.get(name)
        if awaited is None:
            self.counters["blocks_repeated"] += 1
            self.counters["bytes"] += len(data)
        elif digest(data) != name:
            if data:  # else it was withdrawn: MQTT 5.0, section 3.3.1.3
                self.counters["blocks_bad"] += 1
                _log.warning("block %s came wrong, %d bytes", name, len(data))
            if not awaited.wanted:  # else its turn comes
                self._want([name])  # and what the operator answers mends what the broker holds
        else:
            del self._awaited[name]
            self._unwatch([name])
            self.counters["blocks"] += 1
            self.counters["bytes"] += len(data)
            self._learn(awaited)
            take(name, data)

    def _learn(self, awaited: _Awaited) -> None:
        now_s = time.monotonic()
        took_s = now_s - max(awaited.since_s, self._heard_s)
        self._took_s += (took_s - self._took_s) / (8 if self._heard_s else 1)  # RFC 6298, section 2
        self._heard_s = now_s
        fitting = int(_AHEAD_S / max(self._took_s, _INSTANT_S))
        self._window = max(1, min(fitting, self._window + 1, self._patience.window))
        self._served = awaited.wanted
        self._newest = max(self._newest, awaited.number)

    def _ask_again(self) -> None:
        now_s = time.monotonic()
        silent = now_s > self._heard_s + self._pause_s
        late = [
            name
            for name, each in self._awaited.items()
            if not each.wanted and (each.number < self._newest or (silent and now_s > each.due_s))
        ]
        again = [name for name, each in self._awaited.items() if each.wanted and now_s > each.due_s]
        if again:
            self._line.watch([release_block(self._fleet, name) for name in again])
        self._want(late + again)

    def _want(self, names: list[str]) -> None:
        now_s = time.monotonic()
        for name in names:
            each = self._awaited[name]
            pause_s = each.pause_s * 2 if each.wanted else self._patience.again_s
            each.pause_s = min(max(pause_s, self._pause_s), self._patience.most_s)
            each.wanted = True
            # Jitter, so that a fleet which lost its broker does not ask in step.
            each.due_s = now_s + each.pause_s * random.uniform(0.75, 1.25)  # noqa: S311 - no secret
        for at in range(0, len(names), MOST_WANTED):
            wanted = tuple(names[at : at + MOST_WANTED])
            self.counters["blocks_wanted"] += len(wanted)
            self._line.say(self._wants, Wants(wanted).write())

    def _unwatch(self, names: list[str]) -> None:
        if names:
            self._line.unwatch([release_block(self._fleet, name) for name in names])
