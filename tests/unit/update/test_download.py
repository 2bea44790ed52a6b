"""Files brought in blocks: what comes once, what is refused, what a reboot costs."""

from pathlib import Path

import pytest

from agent.update.errors import ContentError, NoSpaceError, StoppedError
from agent.update.line import Heard
from broker.wire.release import BLOCK_BYTES, Content, digest
from tests.blocks import AT_ONCE, StockLine, a_download, in_stock, some_bytes

LENGTHS = [0, 1, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 20 * BLOCK_BYTES + 7]


@pytest.mark.parametrize("length", LENGTHS)
def test_a_file_comes_as_it_is_and_each_block_once(tmp_path: Path, length: int) -> None:
    data = some_bytes(length)
    stock, content = in_stock(tmp_path, data)
    line = StockLine(stock)
    download, _, _ = a_download(line, tmp_path / "board")

    path = download.fetch(content)

    assert path.read_bytes() == data
    assert sorted(line.brought) == sorted(stock.names(content.sha256) if length else [])
    assert line.wanted == []


def test_a_file_that_is_there_does_not_come_again(tmp_path: Path) -> None:
    stock, content = in_stock(tmp_path, some_bytes(5 * BLOCK_BYTES))
    a_download(StockLine(stock), tmp_path / "board")[0].fetch(content)
    line = StockLine(stock)

    a_download(line, tmp_path / "board")[0].fetch(content)

    assert line.brought == []


def test_blocks_that_are_alike_come_once(tmp_path: Path) -> None:
    data = bytes(7 * BLOCK_BYTES) + b"end"
    stock, content = in_stock(tmp_path, data)
    line = StockLine(stock)

    path = a_download(line, tmp_path / "board")[0].fetch(content)

    assert path.read_bytes() == data
    assert len(line.brought) == 3  # the list, the zeros, the end


def test_what_the_broker_does_not_hold_is_asked_for(tmp_path: Path) -> None:
    data = some_bytes(30 * BLOCK_BYTES)
    stock, content = in_stock(tmp_path, data)
    line = StockLine(stock, retained=[])

    path = a_download(line, tmp_path / "board", patience=AT_ONCE)[0].fetch(content)

    assert path.read_bytes() == data
    assert set(line.wanted) == set(stock.names(content.sha256))


def test_a_block_that_later_ones_passed_by_is_asked_for_without_waiting(tmp_path: Path) -> None:
    stock, content = in_stock(tmp_path, some_bytes(30 * BLOCK_BYTES))
    names = list(stock.names(content.sha256))
    line = StockLine(stock, retained=set(names) - {names[3]})

    a_download(line, tmp_path / "board")[0].fetch(content)

    assert line.wanted[0] == names[3]
    assert line.brought.index(names[3]) < len(names) - 1


@pytest.mark.parametrize("spoilt", [b"", b"x", bytes(BLOCK_BYTES), bytes(2 * BLOCK_BYTES)])
def test_a_block_that_is_wrong_is_counted_and_asked_for_again(
    tmp_path: Path, spoilt: bytes
) -> None:
    data = some_bytes(6 * BLOCK_BYTES)
    stock, content = in_stock(tmp_path, data)
    line = StockLine(stock, spoil=lambda number, right: spoilt if number == 4 else right)
    download, window, _ = a_download(line, tmp_path / "board")

    path = download.fetch(content)

    assert path.read_bytes() == data
    assert window.counters["blocks_bad"] == (1 if spoilt else 0)
    assert line.wanted == [line.brought[3]]


def test_a_block_that_is_always_wrong_is_asked_for_ever_more_rarely(tmp_path: Path) -> None:
    stock, content = in_stock(tmp_path, some_bytes(3 * BLOCK_BYTES))
    bad = list(stock.names(content.sha256))[2]
    looks = 0

    def stop(_heard: Heard | None) -> bool:
        nonlocal looks
        looks += 1
        return window.counters["blocks_wanted"] >= 4

    line = StockLine(stock)
    line_spoil = line._stock.block(bad)
    line._spoil = lambda _number, data: b"bad" if data == line_spoil else data
    download, window, _ = a_download(line, tmp_path / "board", stop=stop, patience=AT_ONCE)

    with pytest.raises(StoppedError):
        download.fetch(content)

    assert line.brought.count(bad) <= 8  # two for each time that it was asked for
    assert not list((tmp_path / "board").glob(content.sha256))


def test_an_order_to_stop_is_obeyed_and_what_came_stays(tmp_path: Path) -> None:
    stock, content = in_stock(tmp_path, some_bytes(40 * BLOCK_BYTES))
    first = StockLine(stock)
    order = Heard("fl/v1/home/release/meta/timestamp.json/0", b"aborted")
    seen: list[Heard] = []

    def progress(done: int, _all: int) -> None:
        if done == 10 * BLOCK_BYTES:
            first.tell(order)

    def stop(heard: Heard | None) -> bool:
        if heard is not None:
            seen.append(heard)
        return heard is not None

    with pytest.raises(StoppedError):
        a_download(first, tmp_path / "board", stop=stop, progress=progress)[0].fetch(content)
    second = StockLine(stock)
    download, _, _ = a_download(second, tmp_path / "board")
    download.fetch(content)

    assert seen == [order]
    came = download.counters["bytes_resumed"] // BLOCK_BYTES
    assert came >= 10
    assert len(second.brought) == 40 - came
    assert first._watched == set()


def test_a_power_cut_between_any_two_blocks_costs_no_block_and_within_one_costs_that(
    tmp_path: Path,
) -> None:
    stock, content = in_stock(tmp_path, some_bytes(4 * BLOCK_BYTES + 5))
    whole = a_download(StockLine(stock), tmp_path / "whole")[0].fetch(content).read_bytes()
    lists = [(tmp_path / "whole" / name) for name in content.lists]
    for cut in range(0, len(whole), BLOCK_BYTES // 2):
        board = tmp_path / f"cut{cut}"
        board.mkdir()
        for each in lists:
            (board / each.name).write_bytes(each.read_bytes())
        torn = whole[:cut] + bytes(len(whole) - cut)
        (board / f"{content.sha256}.part").write_bytes(torn)
        line = StockLine(stock)

        path = a_download(line, board)[0].fetch(content)

        assert path.read_bytes() == whole
        assert len(line.brought) == 5 - cut // BLOCK_BYTES


def test_lists_that_contradict_the_length_are_refused(tmp_path: Path) -> None:
    stock, content = in_stock(tmp_path, some_bytes(5 * BLOCK_BYTES))
    for length in (1, 4 * BLOCK_BYTES, 6 * BLOCK_BYTES, 1 << 40):
        liar = Content(length=length, sha256=content.sha256, lists=content.lists)
        with pytest.raises(ContentError):
            a_download(StockLine(stock), tmp_path / "board")[0].fetch(liar)


def test_a_length_that_lies_within_a_block_is_refused_and_nothing_stays(tmp_path: Path) -> None:
    data = some_bytes(5 * BLOCK_BYTES)
    stock, content = in_stock(tmp_path, data)
    single = stock.put(b"one block")
    liars = [
        Content(length=content.length - 1, sha256=content.sha256, lists=content.lists),
        Content(length=content.length, sha256=digest(b"another"), lists=content.lists),
        Content(length=single.length + 1, sha256=single.sha256),
    ]
    for liar in liars:
        with pytest.raises(ContentError):
            a_download(StockLine(stock), tmp_path / "board")[0].fetch(liar)

        assert not (tmp_path / "board" / liar.sha256).exists()


def test_a_list_that_is_no_list_is_refused(tmp_path: Path) -> None:
    stock, _ = in_stock(tmp_path, b"")
    odd = stock.put(b"not a multiple of 32")
    liar = Content(length=3 * BLOCK_BYTES, sha256="0" * 64, lists=(odd.sha256,))

    with pytest.raises(ContentError):
        a_download(StockLine(stock), tmp_path / "board")[0].fetch(liar)


def test_a_disk_without_room_is_told_before_a_block_comes(tmp_path: Path) -> None:
    stock, content = in_stock(tmp_path, some_bytes(2 * BLOCK_BYTES))
    _, _, store = a_download(StockLine(stock), tmp_path / "board")
    huge = Content(length=1 << 40, sha256=content.sha256, lists=content.lists)

    with pytest.raises(NoSpaceError) as told:
        store.part(huge, ())

    assert told.value.needed == 1 << 40
    assert list((tmp_path / "board").iterdir()) == []
