"""The window of subscriptions on links of any speed, by a clock of the tests' own."""

from collections import deque
from collections.abc import Sequence
from pathlib import Path

import pytest

from agent.update import window as windows
from agent.update.line import Heard
from broker.fleet.releases.stock import Stock
from broker.wire.release import BLOCK_BYTES
from broker.wire.topics import parse_release_block, release_block
from tests.blocks import FLEET, StockLine, a_download, in_stock, some_bytes

BLOCKS = 60


class Link(StockLine):
    """One that brings a block in so many seconds, one after the other."""

    def __init__(self, stock: Stock, took_s: float) -> None:
        super().__init__(stock)
        self._took_s = took_s
        self._way: deque[str] = deque()
        self._left_s = took_s
        self.now_s = 1000.0
        self.most: list[int] = []  # subscriptions at a time, whenever a block came

    def monotonic(self) -> float:
        """As time.monotonic."""
        return self.now_s

    def watch(self, topics: Sequence[str]) -> None:
        self._watched |= set(topics)
        self._way += [name for name in map(parse_release_block, topics) if name]

    def hear(self, timeout_s: float) -> Heard | None:
        passed_s = min(timeout_s, self._left_s)
        self.now_s += passed_s
        self._left_s -= passed_s
        if self._left_s > 0 or not self._way:
            return None
        self._left_s = self._took_s
        self.most.append(len(self._watched))
        name = self._way.popleft()
        self.brought.append(name)
        data = self._stock.block(name)
        assert data is not None
        return Heard(release_block(FLEET, name), data)

    def say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        assert payload
        assert not retain
        self.wanted.append(topic)


@pytest.mark.parametrize(("took_s", "window"), [(0.001, 8), (0.05, 8), (0.5, 4), (4.0, 1)])
def test_the_window_is_as_large_as_the_link_is_quick(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, took_s: float, window: int
) -> None:
    stock, content = in_stock(tmp_path, some_bytes(BLOCKS * BLOCK_BYTES))
    link = Link(stock, took_s)
    monkeypatch.setattr(windows, "time", link)
    download, _, _ = a_download(link, tmp_path / "board", patience=windows.Patience())

    download.fetch(content)

    steady = link.most[20:-10]
    assert max(steady) <= window + 2
    assert min(steady) >= window - 3
    assert len(link.brought) <= BLOCKS + 2  # a first block that takes long comes twice


def test_a_slow_link_is_not_taken_for_a_broker_that_lacks_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock, content = in_stock(tmp_path, some_bytes(BLOCKS * BLOCK_BYTES))
    link = Link(stock, 16.0)  # 64 kbit/s
    monkeypatch.setattr(windows, "time", link)
    download, _, _ = a_download(link, tmp_path / "board", patience=windows.Patience())

    download.fetch(content)

    assert len(link.brought) <= BLOCKS + 6
    assert len(link.wanted) <= 40  # small ones, of which the operator answers none
