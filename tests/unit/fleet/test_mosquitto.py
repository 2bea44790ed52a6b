import os
import signal
import socket
from pathlib import Path

import pytest

from broker.fleet import mosquitto, settings
from broker.fleet.errors import BrokerMissingError, BrokerStartError
from broker.fleet.mosquitto import LOOPBACK, find_mosquitto, running_broker, write_config

pytestmark = pytest.mark.broker


def answers(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True


def test_a_broker_listens_while_the_block_lasts(tmp_path: Path) -> None:
    with running_broker(tmp_path / "broker") as running:
        during = answers(running.port)

    assert (during, answers(running.port)) == (True, False)


def test_two_brokers_run_side_by_side(tmp_path: Path) -> None:
    with running_broker(tmp_path / "one") as one, running_broker(tmp_path / "two") as two:
        assert one.port != two.port
        assert answers(one.port)
        assert answers(two.port)


def test_a_broker_comes_back_on_its_port(tmp_path: Path) -> None:
    with running_broker(tmp_path / "broker") as first:
        pass

    with running_broker(tmp_path / "broker", port=first.port) as second:
        assert second.port == first.port
        assert answers(second.port)


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    with (
        running_broker(tmp_path / "one") as running,
        pytest.raises(BrokerStartError, match=f"port {running.port} of 127.0.0.1 cannot be used"),
        running_broker(tmp_path / "two", port=running.port),
    ):
        pass


def test_an_address_that_is_not_ours_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(BrokerStartError, match="choose another port or address"),
        running_broker(tmp_path / "broker", bind="203.0.113.1"),  # RFC 5737: nobody's
    ):
        pass


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with (
        pytest.raises(BrokerStartError, match="file"),
        running_broker(tmp_path / "file" / "broker"),
    ):
        pass


def test_what_mosquitto_says_of_a_bad_setting_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "_BOUNDS", settings._BOUNDS + "no_such_setting 1\n")

    with (
        pytest.raises(BrokerStartError, match=r"mosquitto stopped at once: .*no_such_setting"),
        running_broker(tmp_path / "broker"),
    ):
        pass


def test_a_missing_mosquitto_is_told_with_the_command_that_helps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(mosquitto, "_SYSTEM_FOLDERS", "/nowhere")

    with pytest.raises(BrokerMissingError, match="sudo apt-get install --yes mosquitto"):
        find_mosquitto()


def test_mosquitto_is_found_where_path_does_not_lead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    assert find_mosquitto().endswith("/mosquitto")


def test_a_killed_broker_does_not_break_the_block(tmp_path: Path) -> None:
    with running_broker(tmp_path / "broker") as running:
        os.kill(running.pid, signal.SIGKILL)

    assert not answers(running.port)


def test_the_settings_are_the_safe_ones(tmp_path: Path) -> None:
    config = write_config(tmp_path / "broker", port=1883).read_text()

    lines = set(config.splitlines())
    assert {
        "listener 1883 127.0.0.1",
        "set_tcp_nodelay true",
        "max_inflight_messages 64",
        "max_queued_messages 1000",
        "max_packet_size 262144",
        "memory_limit 268435456",
        "persistence true",
        "autosave_interval 60",
    } <= lines


def test_the_state_is_private(tmp_path: Path) -> None:
    with running_broker(tmp_path / "broker"):
        pass

    assert (tmp_path / "broker").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "broker" / "broker.db").exists()


def test_a_broker_that_does_not_end_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mosquitto, "_STOP_S", 0.2)

    with running_broker(tmp_path / "broker") as running:
        os.kill(running.pid, signal.SIGSTOP)

    with pytest.raises(ProcessLookupError):
        os.kill(running.pid, 0)


def test_a_broker_that_never_answers_is_told_and_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deaf = tmp_path / "mosquitto"
    deaf.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 60\n")
    deaf.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(mosquitto, "_START_S", 0.5)

    with (
        pytest.raises(BrokerStartError, match="does not answer on 127"),
        running_broker(tmp_path / "broker"),
    ):
        pass

    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
