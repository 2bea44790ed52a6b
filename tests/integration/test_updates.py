"""A release on its way to a board that answers: real broker, agent, updater, engines."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from firstline.plan import plan_apart
from tests.updates import Site, site, version_of

pytestmark = pytest.mark.broker


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as found:
        yield found


def test_a_release_is_taken_proven_and_told(here: Site, tmp_path: Path) -> None:
    here.runs("1.0.0")
    digest = here.release(here.plan(version_of(tmp_path, "1.0.1")))

    here.runs("1.0.1")
    told = here.reports("done")

    assert (told.digest, told.running, told.release, told.reason) == (digest, digest, 1, "")
    current = here.slots.current
    assert current is not None
    assert (current.version, here.slots.trial) == ("1.0.1", None)

    here.agent.kill()  # what is installed is also what the next start runs, and the planner knows
    planned = plan_apart(here.board / "agent.toml")
    assert [task.engine.package.name for task in planned.tasks] == [digest]
    here.agent.start()
    here.runs("1.0.1")


def test_an_aborted_release_is_taken_back_while_it_is_watched(here: Site, tmp_path: Path) -> None:
    plan = here.plan(version_of(tmp_path, "1.0.1"))
    here.release(plan, watch_s=600.0)
    here.runs("1.0.1")
    here.reports("watching")

    here.choose(plan, number=1, watch_s=600.0, state="aborted")
    here.runs("1.0.0")
    told = here.reports("stopped")

    assert (told.running, told.release) == ("", 1)
    assert here.book.bad == ()


def test_a_variant_that_fits_and_fails_makes_way_for_the_next_best(
    here: Site, tmp_path: Path
) -> None:
    here.runs("1.0.0")
    bad = version_of(tmp_path, "1.0.2")
    (bad / "model.onnx").write_bytes(b"not what was packed")
    too_large = here.plan(version_of(tmp_path, "1.0.1"), ram_mb=900_000)
    here.release(too_large, here.plan(bad), here.plan(version_of(tmp_path, "1.0.3")))

    here.runs("1.0.3")
    here.reports("done")

    (quarantined,) = here.book.bad
    assert quarantined.reason.startswith("model.onnx (19 bytes) is not the file that was packed")


def test_a_release_that_no_board_can_run_is_told_with_its_reason(
    here: Site, tmp_path: Path
) -> None:
    here.runs("1.0.0")
    bad = version_of(tmp_path, "1.0.1")
    (bad / "model.onnx").write_bytes(b"not what was packed")
    digest = here.release(here.plan(bad))

    told = here.reports("failed")

    assert here.ask()["model"] == "commands-small 1.0.0"
    assert (told.digest, told.running) == (digest, "")
    assert "is not the file that was packed" in told.reason
