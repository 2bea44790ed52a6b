"""A board at a wrong date gets its updates all the same, with nobody's help but a worker's."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from firstline.bench.programs import Program
from tests.acceptance.false_clock import environment
from tests.updates import Site, site, version_of, wait_for

pytestmark = [pytest.mark.acceptance, pytest.mark.broker]

DAY_S = 86_400.0


@contextmanager
def serving(here: Site) -> Iterator[None]:
    """A worker, whose clock is right."""
    folder = here.folder / "worker"
    folder.mkdir()
    (folder / "keys").symlink_to(here.worker_folder)
    words = ("tests.acceptance.run_worker", str(folder), str(here.port), "0")
    worker = Program(here.folder / "worker.log", *words)
    worker.start()
    try:
        yield
    finally:
        worker.kill()


def test_a_board_400_days_ahead_asks_a_worker_for_the_date_and_takes_the_release(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(tmp_path / "clock", 400 * DAY_S).items():
        monkeypatch.setenv(name, value)
    with site(tmp_path) as here:
        here.runs("1.0.0")
        here.release(here.plan(version_of(tmp_path, "1.0.1")), deadline_s=time.time() + DAY_S)
        wait_for(lambda: "expired, by our idea of the time" in here.said())
        before = here.slots
        with serving(here):
            here.runs("1.0.1")
            wait_for(lambda: here.slots.current)

    assert (before.trial, before.current) == (None, None)
    assert here.book.bad == ()


def test_a_board_60_days_back_takes_a_release_whose_time_has_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(tmp_path / "clock", -60 * DAY_S).items():
        monkeypatch.setenv(name, value)
    with site(tmp_path) as here:
        here.runs("1.0.0")
        here.release(here.plan(version_of(tmp_path, "1.0.1")), not_before_s=time.time() - 1.0)
        here.runs("1.0.1")
        wait_for(lambda: here.slots.current)

    assert here.book.bad == ()
