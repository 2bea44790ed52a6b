"""Packages that passed their self-test, and releases that cross each other."""

import os
import signal
import time
from threading import Event

import pytest

from agent.shell.updater import UpdaterSaid
from agent.update.book import Bounds, Installed, Slots
from agent.update.slots import FILE, UPDATES, SlotStore
from agent.update.words import Stop
from firstline import workshop
from firstline.bench.swap_board import SwapBoard
from firstline.bench.swap_packages import PACKAGE, POISON, break_it, lay_down
from tests.swapping import LONG, SHORT, book_of, children_of, counted, folder_of
from tests.updates import wait_for

PATIENCE_S = 60.0


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
    first, second = (lay_down(board.state, each, SHORT) for each in (1, 2))
    board.offer(first)
    board.offer(second)

    wait_for(lambda: board.ask().version == 2)
    wait_for(lambda: book_of(board).packages[PACKAGE].trial is None)

    current = book_of(board).packages[PACKAGE].current
    assert current == second.installed
    assert book_of(board).bad == ()


@pytest.mark.parametrize(
    "when", ["while it is tested", "while it is switched to", "while it is watched"]
)
def test_a_release_that_is_aborted_does_not_stay(
    board: SwapBoard, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready, switch, switched = lay_down(board.state, 1, LONG), SlotStore.begin, Event()

    def abort() -> None:
        stop = Stop(package=PACKAGE, release=1, reason="the operator aborted it")
        board.queue.put(UpdaterSaid(0, {"stop": stop.write().decode()}, b""))

    def switch_and_abort(slots: SlotStore, installed: Installed, bounds: Bounds) -> None:
        abort()
        switch(slots, installed, bounds)
        switched.set()

    if when == "while it is switched to":
        monkeypatch.setattr(SlotStore, "begin", switch_and_abort)
        board.offer(ready)
        assert switched.wait(PATIENCE_S)
    else:
        board.offer(ready)
        if when == "while it is watched":
            counted(board, "updates_switched")
            assert board.ask().version == 1
        abort()

    wait_for(lambda: board.ask().version == 0)
    give_up_s = time.monotonic() + 2.0
    while time.monotonic() < give_up_s:  # nor does it come late
        assert board.ask().version == 0

    assert book_of(board).packages.get(PACKAGE, Slots()).trial is None
    assert book_of(board).bad == ()


def test_a_package_whose_files_vanish_makes_way_for_the_one_before_it(board: SwapBoard) -> None:
    first, second = (lay_down(board.state, each, SHORT) for each in (1, 2))
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


def test_where_memory_is_short_the_old_model_ends_before_the_new_one_is_tested(
    board: SwapBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workshop, "free_bytes", lambda: 0)
    bad, good = (lay_down(board.state, each, SHORT) for each in (1, 2))
    (folder_of(board, bad) / "model.onnx").write_bytes(b"damaged")
    board.offer(bad)
    counted(board, "updates_refused")
    assert board.ask().version == 0

    board.offer(good)
    counted(board, "updates_done")

    assert board.ask().version == 2
    assert board.counters["updates_tight"] == 2
