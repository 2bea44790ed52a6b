"""`firstline doctor`: every finding says what was seen and what fixes it."""

import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.fleet import keys
from broker.fleet.epochs import renew
from broker.fleet.mosquitto import running_broker
from broker.fleet.root import open_root
from broker.wire.topics import DeviceId, PoolId
from firstline import cli
from firstline.checks.finding import Finding, State
from firstline.exits import ExitCode
from tests.unit.firstline.conftest import Home, use_port


def examine(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Finding]]:
    code = cli.main(["doctor", *words, "--json"])
    document = json.loads(capsys.readouterr().out)
    found = {
        each["name"]: Finding(each["name"], State(each["state"]), each["seen"], each["fix"])
        for each in document["checks"]
    }
    assert document["healthy"] == all(each.state != State.FAIL for each in found.values())
    assert (code == 0) == document["healthy"]
    return code, found


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    with running_broker(tmp_path / "mosquitto") as broker:
        yield broker.port


def test_every_check_of_the_machine_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    _, found = examine(capsys)

    assert {
        "python", "64-bit", "processor", "page size", "memory", "memory limits", "disk",
        "clock", "mosquitto", "extra device", "extra worker", "encryption", "models",
    } == set(found)  # fmt: skip
    assert all(each.fix for each in found.values() if each.state != State.OK)
    assert all(not each.fix for each in found.values() if each.state == State.OK)


def test_settings_that_are_right_are_found_right(
    home: Home, port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    use_port(home, port)

    _, found = examine(capsys, "--settings", str(home.agent))

    states = {found[name].state for name in ("settings", "keys", "pool key", "state", "broker")}
    assert states == {State.OK}
    assert found["broker"].seen == f"127.0.0.1:{port} takes MQTT 5 connections"
    assert re.fullmatch(
        r"pool cloud, suite XWING, key bundle 1 until 20\d\d-\d\d-\d\d", found["pool key"].seen
    )


def test_a_workers_settings_are_looked_at_too(
    home: Home, port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    use_port(home, port)

    _, found = examine(capsys, "--settings", str(home.worker))

    states = {found[name].state for name in ("settings", "keys", "pool key", "state", "broker")}
    assert states == {State.OK}


def test_broken_settings_fail_with_their_line(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    home.agent.write_text(home.agent.read_text().replace("[broker]", "[brocker]"))

    code, found = examine(capsys, "--settings", str(home.agent))

    assert code == ExitCode.FAILURE
    assert found["settings"].seen.endswith("brocker: unknown key, did you mean 'broker'?")
    assert found["settings"].fix == f"nano +4 {home.agent}"


def test_keys_that_others_may_read_fail(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    folder = home.folder / "fleet" / "devices" / "kitchen"
    (folder / "identity.key").chmod(0o644)

    code, found = examine(capsys, "--settings", str(home.agent))

    assert code == ExitCode.FAILURE
    assert found["keys"] == Finding(
        "keys", State.FAIL, f"others may read identity.key in {folder}", f"chmod -R go= {folder}"
    )


def test_keys_that_are_missing_fail(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(home.folder / "fleet" / "devices")

    code, found = examine(capsys, "--settings", str(home.agent))

    assert code == ExitCode.FAILURE
    assert found["keys"].seen.endswith("fleet/devices/kitchen is not there")
    assert found["keys"].fix == "firstline join --broker HOST"


def test_a_pool_key_that_is_out_of_date_fails(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    long_ago_s = time.time() - 2 * 365 * 86_400
    folder = home.folder / "fleet"
    keys.enroll(folder, DeviceId("attic"), PoolId("old"), now_s=long_ago_s)
    home.agent.write_text(home.agent.read_text().replace("kitchen", "attic"))

    _, found = examine(capsys, "--settings", str(home.agent))

    assert found["settings"].state == State.OK
    assert found["pool key"].state == State.FAIL
    assert found["pool key"].seen.startswith("no key of pool old is valid now")
    assert found["pool key"].fix.startswith("firstline fleet rotate")


@pytest.mark.parametrize("side", ["agent", "worker"])
@pytest.mark.parametrize(("days_ago", "state"), [(24, State.WARN), (31, State.FAIL)])
def test_pool_keys_that_end_soon_are_told_on_both_sides(
    home: Home, capsys: pytest.CaptureFixture[str], side: str, days_ago: int, state: State
) -> None:
    root = open_root(home.folder / "fleet")
    renew(root, PoolId("cloud"), now_s=time.time() - days_ago * 86_400)

    _, found = examine(capsys, "--settings", str(getattr(home, side)))

    assert found["pool key"].state == state
    assert found["pool key"].fix.startswith("firstline fleet rotate && firstline fleet publish")


def test_a_state_folder_that_cannot_be_made_fails(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    (home.folder / "state").write_text("a file")

    _, found = examine(capsys, "--settings", str(home.agent))

    assert found["state"] == Finding(
        "state",
        State.FAIL,
        f"{home.folder / 'state'}: File exists",
        f"sudo chown -R $USER {home.folder / 'state'}",
    )


def test_the_local_broker_is_looked_at_too(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    home.agent.write_text("[local_broker]\nport = 2\n" + home.agent.read_text())

    _, found = examine(capsys, "--settings", str(home.agent))

    assert found["local broker"].seen == "nothing listens on 127.0.0.1:2"


def test_people_see_the_fix_below_the_finding(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["doctor", "--settings", str(home.agent)]) == ExitCode.FAILURE

    out = capsys.readouterr().out
    assert "fail  broker" in out
    assert "fix: firstline broker up --port 1\n" in out
