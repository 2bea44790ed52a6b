"""A release on its way to a board that answers: real broker, agent, updater, engines."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from firstline.plan import plan_apart
from tests.updates import PACKAGE, Site, site, version_of, wait_for

pytestmark = pytest.mark.broker

MANY = 25  # questions: a share is told of twenty


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

    wait_for(lambda: counters_of(here)["update_files_downloaded"])
    assert counters_of(here)["update_blocks"] >= 2  # the plan and a file, at least

    here.agent.kill()  # what is installed is also what the next start runs, and the planner knows
    planned = plan_apart(here.board / "agent.toml")
    assert [task.engine.package.name for task in planned.tasks] == [digest]
    floor = here.board / "state" / "update-floor.a"
    floor.write_bytes(bytes(len(floor.read_bytes())))
    here.agent.start()
    here.runs("1.0.1")
    wait_for(lambda: counters_of(here)["update_floors_damaged"] == 1)
    assert floor.read_bytes() == floor.with_suffix(".b").read_bytes()


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


def test_a_release_that_answers_and_is_too_often_unsure_is_taken_back(
    here: Site, tmp_path: Path
) -> None:
    here.runs("1.0.0")
    settings = here.board / "agent.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("max_error = 1.0", "max_error = 0.1"), encoding="utf-8")
    wait_for(lambda: "settings reloaded" in here.said())
    before = here.ask()
    unsure = version_of(tmp_path, "1.0.1")
    make_unsure(unsure)
    here.release(here.plan(unsure), watch_s=600.0, most_escalated=0.5)
    wait_for(lambda: here.slots.trial)

    asked = [here.asking() for _ in range(MANY)]  # nobody is there to answer but the board
    wait_for(lambda: here.slots.trial is None)
    wait_for(lambda: all(answer() for answer in asked))
    after = here.ask()

    assert [each["origin"] for each in (before, after)] == ["device", "device"]
    assert [each["model"] for each in (before, after)] == [f"{PACKAGE} 1.0.0"] * 2
    (quarantined,) = here.book.bad
    assert quarantined.reason.endswith("questions were asked of the cloud")


def counters_of(here: Site) -> Counter[str]:
    """What the agent has counted, as its status says."""
    status = json.loads((here.board / "state" / "status.json").read_bytes())
    return Counter(status["counters"])


def make_unsure(package: Path) -> None:
    """Have a package be right as often as before, and at scores that it hardly ever reaches."""
    path = package / "calibration.json"
    calibration = json.loads(path.read_text(encoding="utf-8"))
    for head in calibration["heads"].values():
        head["risk_table"] = [
            (round(1.0 - (1.0 - score) * 1e-4, 9), *rows) for score, *rows in head["risk_table"]
        ]
    path.write_text(json.dumps(calibration), encoding="utf-8")
