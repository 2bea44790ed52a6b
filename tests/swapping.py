"""A board whose packages a test offers, and what can be seen of it."""

from pathlib import Path

from agent.update.book import Book, Bounds
from agent.update.slots import FILE, PACKAGES, UPDATES
from agent.update.words import Ready
from firstline.bench.swap_board import SwapBoard
from tests.updates import wait_for

LONG = Bounds(watch_s=600.0)
SHORT = Bounds(watch_s=0.1)


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
