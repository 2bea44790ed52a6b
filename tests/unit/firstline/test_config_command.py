"""`firstline config`: a settings file and all that it names."""

import json
import shutil

import pytest

from firstline import cli
from firstline.exits import ExitCode
from tests.unit.firstline.conftest import Home


def replace(home: Home, right: str, wrong: str) -> None:
    text = home.agent.read_text()
    assert right in text
    home.agent.write_text(text.replace(right, wrong, 1))


def problems(home: Home, capsys: pytest.CaptureFixture[str]) -> list[tuple[int, str, str]]:
    assert cli.main(["config", "check", str(home.agent), "--json"]) == ExitCode.SETTINGS
    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["code"], error["kind"]) == (3, "settings")
    return [(each["line"], each["key"], each["message"]) for each in error["problems"]]


def test_good_settings_of_both_kinds_pass(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["config", "check", str(home.agent)]) == 0
    assert cli.main(["config", "check", str(home.worker), "--json"]) == 0

    people, program = capsys.readouterr().out.splitlines()
    assert people == f"{home.agent}: valid settings of an agent"
    assert json.loads(program) == {"file": str(home.worker), "kind": "a worker", "valid": True}


def test_every_problem_is_a_line_for_people(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    replace(home, "patience_s = 0.5", "patience = 0.5")
    replace(home, "port = 1", "port = 0")

    assert cli.main(["config", "check", str(home.agent)]) == ExitCode.SETTINGS

    told = capsys.readouterr().err.splitlines()
    assert told == [
        f"firstline: {home.agent}:5: broker.port: Input should be greater than or equal to 1",
        f"{home.agent}:14: tasks.0.patience: unknown key, did you mean 'patience_s'?",
    ]


def test_a_package_that_is_missing_is_told(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    replace(home, "packages/small", "packages/smal")

    ((line, key, message),) = problems(home, capsys)

    assert (line, key) == (8, "models.small.package")
    assert "does not exist" in message


def test_a_task_that_does_not_fit_its_package_is_told(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    replace(home, 'domain = "home"', 'domain = "away"\npayload = "record"')

    assert problems(home, capsys) == [
        (13, "tasks.0.domain", "small knows home"),
        (14, "tasks.0.payload", "small takes a text"),
    ]


def test_keys_that_are_missing_are_told(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(home.folder / "fleet" / "devices" / "kitchen")

    ((line, key, message),) = problems(home, capsys)

    assert (line, key) == (2, "agent.credentials")
    assert "firstline fleet enroll" in message


def test_a_folder_that_is_none_is_told(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    (home.folder / "in").write_text("a file")

    assert problems(home, capsys) == [
        (15, "tasks.0.input.path", f"{home.folder / 'in'} is no folder")
    ]


def test_a_workers_package_and_keys_are_looked_at_too(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    text = home.worker.read_text().replace("workers/cloud", "workers/none")
    home.worker.write_text(text.replace("packages/small", "packages/none"))

    assert cli.main(["config", "check", str(home.worker)]) == ExitCode.SETTINGS

    first, second = capsys.readouterr().err.splitlines()
    assert f"{home.worker}:2: worker.credentials: " in first
    assert f"{home.worker}:8: engines.0.package: " in second


def test_effective_values_are_shown_with_their_origin(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["config", "show", str(home.agent)]) == 0

    rows = [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()]
    assert ["broker.port", "1", "line 5"] in rows
    assert ["broker.host", "127.0.0.1", "default"] in rows
    assert ["tasks.0.input.path", "in", "line 15"] in rows
    assert ["tasks.1.max_error", "0.05", "default"] in rows


def test_effective_values_are_shown_to_programs(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["config", "show", str(home.worker), "--json"]) == 0

    shown = json.loads(capsys.readouterr().out)["settings"]
    assert {"key": "worker.queue", "value": "64", "origin": "default"} in shown
