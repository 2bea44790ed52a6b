"""Contents as an operator cuts them, and lines that bring what they are given."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from agent.update.blocks import BlockStore
from agent.update.download import Download
from agent.update.line import Heard
from agent.update.window import Patience, Window
from broker.fleet.releases.stock import Stock
from broker.wire.release import Content, Wants
from broker.wire.topics import (
    DeviceId,
    FleetId,
    device_wants,
    parse_release_block,
    release_block,
)

FLEET, DEVICE = FleetId("home"), DeviceId("board-1")
AT_ONCE = Patience(want_s=0.05, again_s=0.1, most_s=1.0)
PATIENT = Patience(want_s=600.0)  # so that no slow machine is taken for a slow broker


def some_bytes(length: int) -> bytes:
    """Bytes that no other call gives."""
    return os.urandom(length)


def in_stock(folder: Path, data: bytes) -> tuple[Stock, Content]:
    """A stock with one file."""
    source = folder / "source"
    source.write_bytes(data)
    stock = Stock(folder / "fleet")
    return stock, stock.add(source)


class StockLine:
    """A line to a broker that retains some blocks and serves others when they are wanted.

    Args:
        stock: Where blocks are.
        retained: Which the broker holds; None: all.
        spoil: What becomes of the n-th block that is brought, counted from 1.
    """

    def __init__(
        self,
        stock: Stock,
        retained: Iterable[str] | None = None,
        spoil: Callable[[int, bytes], bytes | None] = lambda _number, data: data,
    ) -> None:
        self._stock = stock
        self._retained = None if retained is None else set(retained)
        self._spoil = spoil
        self._coming: deque[Heard] = deque()
        self._watched: set[str] = set()
        self.brought: list[str] = []
        self.wanted: list[str] = []

    def watch(self, topics: Sequence[str]) -> None:
        """Bring what is retained."""
        self._watched |= set(topics)
        for name in map(parse_release_block, topics):
            if name and (self._retained is None or name in self._retained):
                self._bring(name)

    def unwatch(self, topics: Sequence[str]) -> None:
        """Bring no more."""
        self._watched -= set(topics)

    def hear(self, _timeout_s: float) -> Heard | None:
        """The next."""
        return self._coming.popleft() if self._coming else None

    def say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Serve what is wanted."""
        assert topic == device_wants(FLEET, DEVICE)
        assert not retain
        for name in Wants.read(payload).blocks:
            self.wanted.append(name)
            if release_block(FLEET, name) in self._watched:
                self._bring(name)

    def tell(self, heard: Heard) -> None:
        """Bring something else."""
        self._coming.append(heard)

    def _bring(self, name: str) -> None:
        data = self._stock.block(name)
        assert data is not None
        self.brought.append(name)
        spoilt = self._spoil(len(self.brought), data)
        if spoilt is not None:
            self._coming.append(Heard(release_block(FLEET, name), spoilt))


def a_download(
    line: StockLine,
    folder: Path,
    *,
    stop: Callable[[Heard | None], bool] = lambda _heard: False,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
    patience: Patience = PATIENT,
) -> tuple[Download, Window, BlockStore]:
    """A board that downloads into a folder."""
    store = BlockStore(folder)
    window = Window(line=line, fleet=FLEET, device=DEVICE, stop=stop, patience=patience)
    return Download(window=window, store=store, progress=progress), window, store
