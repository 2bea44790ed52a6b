"""`firstline doctor`: every finding says what was seen and what fixes it."""

import json
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.fleet.mosquitto import running_broker
from firstline import cli
from firstline.checks import machine, parts, reach
from firstline.checks.finding import Finding, State, ok
from firstline.exits import ExitCode
from tests.unit.firstline.conftest import Home, use_port

ARM = "processor : 0\nFeatures : fp asimd {dot}\nCPU part : 0xd0b\n"


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
        "python", "64-bit", "processor", "page size", "memory", "disk", "clock", "mosquitto",
        "extra device", "extra worker", "encryption", "models",
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
    assert found["pool key"].seen == "pool cloud, suite XWING"


def test_a_workers_settings_are_looked_at_too(
    home: Home, port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    use_port(home, port)

    _, found = examine(capsys, "--settings", str(home.worker))

    assert {found[name].state for name in ("settings", "keys", "state", "broker")} == {State.OK}


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


def test_people_see_the_fix_below_the_finding(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["doctor", "--settings", str(home.agent)]) == ExitCode.FAILURE

    out = capsys.readouterr().out
    assert "fail  broker" in out
    assert "fix: firstline broker up --port 1\n" in out


def test_a_broker_that_is_not_there_is_told_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    found = reach.finding("broker", "127.0.0.1", port)

    assert found.seen == f"nothing listens on 127.0.0.1:{port}"
    assert found.fix == f"firstline broker up --port {port}"


def test_a_name_that_is_not_known_is_told_in_words() -> None:
    found = reach.finding("broker", "no-such-host.invalid", 1883)

    assert found.seen == "the name no-such-host.invalid is not known"


def test_something_that_speaks_no_mqtt_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "_REACH_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []
        thread = threading.Thread(target=lambda: held.extend(server.accept()[0] for _ in "12"))
        thread.start()

        found = reach.finding("broker", *server.getsockname())

        thread.join()
        for connection in held:
            connection.close()
    assert found.state == State.FAIL
    assert "does not speak MQTT 5" in found.seen


@pytest.mark.parametrize(
    ("architecture", "text", "state", "seen"),
    [
        ("aarch64", ARM.format(dot="asimddp"), State.OK, "asimd, asimddp"),
        ("aarch64", ARM.format(dot=""), State.OK, "int8 works, without its full speed"),
        ("aarch64", "Features : fp\n", State.FAIL, "without asimd"),
        ("x86_64", "flags : sse2\n", State.FAIL, "without avx2"),
        ("riscv64", "", State.WARN, "riscv64"),
    ],
)
def test_the_processor_is_judged_by_what_engines_need(
    tmp_path: Path, architecture: str, text: str, state: State, seen: str
) -> None:
    (tmp_path / "cpuinfo").write_text(text)

    found = machine._processor(architecture, tmp_path / "cpuinfo")

    assert found.state == state
    assert seen in found.seen


@pytest.mark.parametrize(
    ("kib", "state"), [(65_535, State.FAIL), (65_536, State.WARN), (131_072, State.OK)]
)
def test_memory_is_judged_by_what_is_available(tmp_path: Path, kib: int, state: State) -> None:
    (tmp_path / "meminfo").write_text(f"MemTotal: 9 kB\nMemAvailable: {kib} kB\n")

    assert machine._memory(tmp_path / "meminfo").state == state


@pytest.mark.parametrize(("now_s", "state"), [(0.0, State.FAIL), (5e9, State.FAIL)])
def test_a_clock_that_cannot_be_right_fails(now_s: float, state: State) -> None:
    assert machine._clock(now_s) == Finding(
        "clock", state, machine._clock(now_s).seen, "sudo timedatectl set-ntp true"
    )


def test_the_disk_is_looked_at_where_the_folder_will_be(tmp_path: Path) -> None:
    found = machine._disk(tmp_path / "not" / "yet")

    assert found.seen.endswith(f" MiB free at {tmp_path}")


def test_an_extra_that_is_missing_is_told_with_its_installation() -> None:
    found = parts._extra("device", ("os", "no_such_module"))

    assert found.state == State.WARN
    assert "no_such_module" in found.seen
    assert found.fix == "pip install 'firstline[device]'"


def test_an_extra_for_another_processor_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wrong_wheel.py").write_text(
        "import os, signal\nos.kill(os.getpid(), signal.SIGILL)"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    found = parts._extra("device", ("wrong_wheel",))

    assert (found.state, found.seen) == (State.FAIL, "its wheels are made for another processor")


def test_models_are_checked_to_the_last_byte(tmp_path: Path, small: Path) -> None:
    assert [each.state for each in parts._models(tmp_path)] == [State.FAIL]

    (tmp_path / "small").symlink_to(small)
    assert list(parts._models(tmp_path)) == [ok("models", "intact: small 1.2.3")]

    (tmp_path / "small").unlink()
    (tmp_path / "small").mkdir()
    for path in small.iterdir():
        (tmp_path / "small" / path.name).write_bytes(path.read_bytes())
    os.truncate(tmp_path / "small" / "model.onnx", 10)
    (found,) = parts._models(tmp_path)
    assert found.state == State.FAIL
    assert "model.onnx" in found.seen
