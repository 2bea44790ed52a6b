"""The checks behind `firstline doctor`, one by one, on machines that are not this one."""

import os
import socket
import threading
from pathlib import Path

import pytest

from firstline.checks import machine, parts, reach, setup
from firstline.checks.finding import Finding, State, ok

ARM = "processor : 0\nFeatures : fp asimd {dot}\nCPU part : 0xd0b\n"


def test_a_slow_disk_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "_SLOW_MS", 0.0)

    assert setup._state(tmp_path).state == State.WARN


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


@pytest.mark.parametrize(
    ("files", "state"),
    [
        ({"cgroup.controllers": "cpuset cpu io memory pids"}, State.OK),
        ({"cgroup.controllers": "cpuset cpu io pids"}, State.WARN),  # Raspberry Pi OS
        ({"memory/tasks": ""}, State.OK),  # version 1
        ({}, State.WARN),
    ],
)
def test_a_kernel_that_cannot_limit_memory_is_a_warning(
    tmp_path: Path, files: dict[str, str], state: State
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)

    found = machine._limits(tmp_path)

    assert found.state == state
    assert ("cgroup_enable=memory" in found.fix) is (state is State.WARN)


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
