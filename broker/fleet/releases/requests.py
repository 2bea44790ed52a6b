"""What boards ask for that the broker does not hold: in turn, once for all, and no flood.

Every board is answered on the block's own topic, so whoever waits for it hears it too. What the
broker should hold anyway is sent to who asks twice. However often one board asks, a block goes out
once in a while, few requests wait, boards are served in turn, and who was sent all that there is
twice is done for the day.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from broker.wire.release import MOST_WANTED
from broker.wire.topics import DeviceId

AGAIN_S: Final = 6.0  # after which a block may be sent again: boards wait longer than that
_DAY_S: Final = 86_400.0


@dataclass(slots=True)
class _Board:
    """One board's requests."""

    wanted: OrderedDict[str, None] = field(default_factory=OrderedDict)
    missed: OrderedDict[str, None] = field(default_factory=OrderedDict)  # though the broker has it
    since_s: float = 0.0
    bytes: int = 0  # sent because it asked, since then


class Requests:
    """The requests of all boards.

    Args:
        size_of: The length of a block in bytes; 0: there is none.
        quota_bytes: What one board may have sent in a day.
    """

    def __init__(self, size_of: Callable[[str], int], *, quota_bytes: int) -> None:
        self.held: frozenset[str] = frozenset()  # what the broker should hold anyway
        self._size_of = size_of
        self._quota_bytes = quota_bytes
        self._boards: OrderedDict[DeviceId, _Board] = OrderedDict()  # whose turn it is, first
        self._sent_s: OrderedDict[str, float] = OrderedDict()
        self.counters: Counter[str] = Counter()  # wants_unknown, wants_repeated, ...

    def ask(self, device: DeviceId, names: Iterable[str], *, now_s: float) -> None:
        """Take a board's request."""
        board = self._boards.setdefault(device, _Board(since_s=now_s))
        for name in names:
            if not self._size_of(name):
                self.counters["wants_unknown"] += 1
            elif now_s < self._sent_s.get(name, -AGAIN_S) + AGAIN_S:
                self.counters["wants_repeated"] += 1  # the broker holds it by now
            elif name in self.held and name not in board.missed:
                board.missed[name] = None  # it may be on its way; who asks again has not got it
                self.counters["wants_held"] += 1
            else:
                board.missed.pop(name, None)
                board.wanted[name] = None
        while len(board.wanted) > MOST_WANTED:
            board.wanted.popitem(last=False)
            self.counters["wants_dropped"] += 1
        while len(board.missed) > MOST_WANTED:
            board.missed.popitem(last=False)

    def next(self, *, now_s: float) -> str | None:
        """The block to send now, if there is one; it counts as sent."""
        for device in list(self._boards):
            board = self._boards[device]
            self._boards.move_to_end(device)
            if now_s > board.since_s + _DAY_S:
                board.since_s, board.bytes = now_s, 0
            while board.wanted:
                name, _ = board.wanted.popitem(last=False)
                if now_s < self._sent_s.get(name, -AGAIN_S) + AGAIN_S:
                    continue  # another board asked first
                size = self._size_of(name)
                if board.bytes + size > self._quota_bytes:
                    self.counters["wants_over_quota"] += 1
                    continue
                board.bytes += size
                self._note(name, now_s)
                return name
        return None

    def forget_sent(self) -> None:
        """The broker may have lost what it held."""
        self._sent_s.clear()

    def _note(self, name: str, now_s: float) -> None:
        self._sent_s[name] = now_s
        self._sent_s.move_to_end(name)
        while self._sent_s and now_s > next(iter(self._sent_s.values())) + AGAIN_S:
            self._sent_s.popitem(last=False)
