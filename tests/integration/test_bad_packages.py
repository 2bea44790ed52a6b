"""Packages that must not run, and releases that cross each other: the old model answers on."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from agent.shell.updater import UpdaterSaid
from agent.update.book import Book, Bounds, Slots
from agent.update.slots import FILE, PACKAGES, UPDATES
from agent.update.words import Ready, Stop
from broker.package.files import PACKAGE_FILE, sha256
from broker.package.golden import GOLDEN_FILE
from broker.package.manifest import CALIBRATION_FILE
from firstline.bench.fleet import FleetKeys, make_fleet
from firstline.bench.swap_board import SwapBoard, swap_board
from firstline.bench.swap_packages import PACKAGE, POISON, break_it, lay_down
from tests.integration.running import free_port
from tests.updates import wait_for

LONG = Bounds(watch_s=600.0)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> FleetKeys:
    return make_fleet(tmp_path_factory.mktemp("fleet") / "fleet")


@pytest.fixture
def board(tmp_path: Path, keys: FleetKeys) -> Iterator[SwapBoard]:
    with swap_board(tmp_path / "board", keys.device, free_port()) as board:
        yield board


def folder_of(board: SwapBoard, ready: Ready) -> Path:
    return board.state / UPDATES / PACKAGES / ready.installed.digest


def book_of(board: SwapBoard) -> Book:
    return Book.read((board.state / UPDATES / FILE).read_bytes())


def counted(board: SwapBoard, name: str, times: int = 1) -> None:
    """Wait until something has happened, and ask all the while."""

    def happened() -> bool:
        assert board.ask(any_answer=True).right
        return board.counters[name] >= times

    wait_for(happened)


def change_golden(folder: Path, **changes: object) -> None:
    path = folder / GOLDEN_FILE
    path.write_text(json.dumps({**json.loads(path.read_bytes()), **changes}), encoding="utf-8")


def other_answers(folder: Path) -> None:
    cases = json.loads((folder / GOLDEN_FILE).read_bytes())["cases"]
    change_golden(folder, cases=[{**each, "answer": "no such label"} for each in cases])


def sign_for(folder: Path, name: str, change: Callable[[bytes], bytes]) -> None:
    """Change a file and its hash, as whoever packed it could."""
    path = folder / name
    before = sha256(path)
    path.write_bytes(change(path.read_bytes()))
    for described in (folder / PACKAGE_FILE, folder / CALIBRATION_FILE):
        text = described.read_text(encoding="utf-8").replace(before, sha256(path))
        described.write_text(text, encoding="utf-8")


def replace(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def not_a_number(weights: bytes) -> bytes:
    """Put NaN in place of every long row of floats."""
    changed = bytearray(weights)
    for start in range(4):
        floats = np.frombuffer(weights[start : len(weights) - (len(weights) - start) % 4], "<f4")
        with np.errstate(invalid="ignore"):
            usual = (np.abs(floats) > 1e-4) & (np.abs(floats) < 10.0)
        rows = np.convolve(usual, np.ones(64), "valid") == 64
        for at in np.flatnonzero(rows)[::64]:
            place = start + 4 * int(at)
            changed[place : place + 256] = np.full(64, np.nan, "<f4").tobytes()
    return bytes(changed)


BAD: dict[str, tuple[Callable[[Path], None], str, bool]] = {
    # what is done to it, the reason, whether it is quarantined
    "no ONNX": (
        lambda folder: sign_for(folder, "model.onnx", lambda _: b"no weights at all"),
        "cannot be loaded",
        True,
    ),
    "not a number": (
        lambda folder: sign_for(folder, "model.onnx", not_a_number),
        "finite",
        True,
    ),
    "damaged": (
        lambda folder: replace(folder / "model.onnx", b"x"),
        "is not the file that was packed",
        True,
    ),
    "a file is missing": (lambda folder: (folder / PACKAGE_FILE).unlink(), "package.toml", True),
    "other answers": (other_answers, "golden questions otherwise", True),
    "too large": (
        lambda folder: change_golden(folder, ram_mb=1),
        "more than 25 MB of memory",
        True,
    ),
    "no golden answers at all": (
        lambda folder: replace(folder / GOLDEN_FILE, b"{}"),
        "golden.json cannot be used",
        True,
    ),
    "another name": (
        lambda folder: _edit(folder, f'name = "{PACKAGE}"', 'name = "another"'),
        "it is another",
        False,
    ),
    "without our domain": (
        lambda folder: _edit(folder, 'domain = "home"', 'domain = "garden"'),
        "no domain 'home'",
        False,
    ),
}


def _edit(folder: Path, old: str, new: str) -> None:
    path = folder / PACKAGE_FILE
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def test_a_bad_package_never_answers_and_says_why(board: SwapBoard) -> None:
    for number, (name, (spoil, reason, quarantined)) in enumerate(BAD.items(), start=1):
        ready = lay_down(board.state, number, LONG)
        spoil(folder_of(board, ready))
        board.offer(ready)
        counted(board, "updates_refused", number)

        book = book_of(board)
        reasons = {each.digest: each.reason for each in book.bad}
        assert (ready.installed.digest in reasons) is quarantined, name
        assert reason in reasons.get(ready.installed.digest, reason), (name, reasons)
        assert book.packages.get(PACKAGE, Slots()) == Slots(), name
    assert board.ask().version == 0
    assert board.counters["updates_switched"] == 0


def test_a_quarantined_package_is_not_even_tried_again(board: SwapBoard) -> None:
    ready = lay_down(board.state, 1, LONG)
    other_answers(folder_of(board, ready))
    board.offer(ready)
    counted(board, "updates_refused")

    board.offer(ready)
    for _ in range(20):
        assert board.ask().version == 0

    assert board.counters["updates_refused"] == 1


def test_a_package_that_is_slower_than_its_bounds_is_taken_back(board: SwapBoard) -> None:
    board.offer(lay_down(board.state, 1, Bounds(watch_s=600.0, most_ms=0.0001)))
    counted(board, "updates_rolled_back")

    assert "an answer takes" in book_of(board).bad[0].reason
    assert board.ask().version == 0


def test_an_engine_that_crashes_again_and_again_is_taken_back(board: SwapBoard) -> None:
    ready = lay_down(board.state, 1, LONG)
    board.offer(ready)
    counted(board, "updates_switched")

    def struck() -> bool:
        for pid in children_of(folder_of(board, ready)):
            os.kill(pid, signal.SIGSEGV)
        board.ask(any_answer=True)
        return board.counters["updates_rolled_back"] > 0

    wait_for(struck)

    assert "crashed 3 times" in book_of(board).bad[0].reason
    assert board.ask().version == 0


def children_of(package: Path) -> list[int]:
    """The engine children that have loaded a package."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if str(package).encode() in words:
            found.append(int(path.parent.name))
    return found


def test_a_switch_that_cannot_be_noted_does_not_happen(board: SwapBoard) -> None:
    ready = lay_down(board.state, 1, LONG)
    path = board.state / UPDATES / FILE
    path.unlink()
    path.mkdir()  # nothing can be written there
    board.offer(ready)
    for _ in range(20):
        assert board.ask().version == 0
    path.rmdir()

    board.offer(ready)
    counted(board, "updates_switched")

    assert board.ask().version == 1


def test_of_two_releases_at_once_the_later_one_stays(board: SwapBoard) -> None:
    first, second = (lay_down(board.state, each, Bounds(watch_s=0.1)) for each in (1, 2))
    board.offer(first)
    board.offer(second)

    wait_for(lambda: board.ask().version == 2)
    wait_for(lambda: book_of(board).packages[PACKAGE].trial is None)

    current = book_of(board).packages[PACKAGE].current
    assert current == second.installed
    assert book_of(board).bad == ()


@pytest.mark.parametrize("when", ["while it is tested", "while it is watched"])
def test_a_release_that_is_aborted_does_not_stay(board: SwapBoard, when: str) -> None:
    ready = lay_down(board.state, 1, LONG)
    board.offer(ready)
    if when == "while it is watched":
        counted(board, "updates_switched")
        assert board.ask().version == 1
    stop = Stop(package=PACKAGE, release=1, reason="the operator aborted it")
    board.queue.put(UpdaterSaid(0, {"stop": stop.write().decode()}, b""))

    wait_for(lambda: board.ask().version == 0)
    give_up_s = time.monotonic() + 2.0
    while time.monotonic() < give_up_s:  # nor does it come late
        assert board.ask().version == 0

    assert book_of(board).packages.get(PACKAGE, Slots()).trial is None
    assert book_of(board).bad == ()


def test_a_package_whose_files_vanish_makes_way_for_the_one_before_it(board: SwapBoard) -> None:
    first, second = (lay_down(board.state, each, Bounds(watch_s=0.1)) for each in (1, 2))
    for number, ready in enumerate((first, second), start=1):
        board.offer(ready)
        counted(board, "updates_done", number)
    (folder_of(board, second) / "model.onnx").unlink()
    for pid in children_of(folder_of(board, second)):
        os.kill(pid, signal.SIGKILL)

    board.ask(any_answer=True)
    wait_for(lambda: board.ask().version == 1)

    assert "missing" in book_of(board).bad[0].reason
    assert book_of(board).packages[PACKAGE] == Slots(current=first.installed)


def test_a_broken_package_that_passes_its_self_test_is_taken_back(board: SwapBoard) -> None:
    ready = lay_down(board.state, 1, LONG)
    break_it(board.state, ready)
    board.offer(ready)
    counted(board, "updates_switched")

    unanswered = 0
    while not board.ask(f"turn on the {POISON}", any_answer=True).right:
        unanswered += 1
        assert unanswered <= 3

    assert "got no answer" in book_of(board).bad[0].reason
    assert board.ask().version == 0
