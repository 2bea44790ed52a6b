"""What systemd hears from a service, on a real socket."""

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from firstline.notify import Notifier

LONGEST_S = 80.0


@pytest.fixture
def systemd(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Where systemd would listen; a short path, as such a socket needs."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        line = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        line.bind(str(Path(folder) / "notify"))
        line.settimeout(0.0)
        monkeypatch.setenv("NOTIFY_SOCKET", line.getsockname())
        yield line


def heard(line: socket.socket) -> list[list[str]]:
    found = []
    while True:
        try:
            found.append(line.recv(4096).decode().splitlines())
        except BlockingIOError:
            return found


def notifier() -> Notifier:
    return Notifier(longest_s=LONGEST_S, doing=lambda: "online, 3 waiting")


def test_the_first_ping_says_that_the_service_is_ready(systemd: socket.socket) -> None:
    told = notifier()

    told.alive()
    told.alive()  # too soon after the first

    assert heard(systemd) == [["READY=1", "WATCHDOG=1", "STATUS=online, 3 waiting"]]


def test_pings_come_four_times_as_often_as_the_watchdog_looks(
    systemd: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "4000000")
    told = notifier()
    told.alive()
    heard(systemd)

    told._next_s -= 0.99
    told.alive()
    assert heard(systemd) == []
    told._next_s -= 0.02
    told.alive()

    assert heard(systemd) == [["WATCHDOG=1", "STATUS=online, 3 waiting"]]


@pytest.mark.parametrize(("unit_s", "told_s"), [(4, 80), (200, 200)])
def test_the_watchdog_waits_longer_than_the_longest_question(
    systemd: socket.socket, monkeypatch: pytest.MonkeyPatch, unit_s: int, told_s: int
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", str(unit_s * 1_000_000))

    notifier().alive()

    assert heard(systemd)[0][1] == f"WATCHDOG_USEC={told_s * 1_000_000}"


def test_nobody_whom_the_service_starts_can_speak_in_its_name(systemd: socket.socket) -> None:
    assert os.environ["NOTIFY_SOCKET"] == systemd.getsockname()

    notifier()

    assert "NOTIFY_SOCKET" not in os.environ


def test_without_systemd_nothing_is_said(
    systemd: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET")

    notifier().alive()

    assert heard(systemd) == []


def test_a_systemd_that_does_not_listen_stops_nothing(systemd: socket.socket) -> None:
    told, abstract = notifier(), notifier()
    systemd.close()
    abstract._address = "@nobody-listens-here"

    told.alive()
    abstract.alive()

    assert told._said
    assert abstract._said
