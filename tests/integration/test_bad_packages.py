"""Packages that must not run: the old model answers on, and the operator hears why."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from agent.update.book import Slots
from broker.package.files import PACKAGE_FILE, sha256
from broker.package.golden import GOLDEN_FILE
from broker.package.manifest import CALIBRATION_FILE
from firstline.bench.swap_board import SwapBoard
from firstline.bench.swap_packages import PACKAGE, lay_down
from tests.swapping import LONG, book_of, counted, folder_of


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
