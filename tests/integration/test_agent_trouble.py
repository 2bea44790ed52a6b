"""The agent's loop with a real mosquitto that refuses or is slow."""

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread

import pytest

from agent.stages import Origin
from broker.fleet.mosquitto import LOOPBACK, RunningBroker, find_mosquitto
from tests.asker import Asker, Fleet
from tests.integration.running import (
    WITHIN_S,
    free_port,
    on_a_thread,
    running_agent,
    running_worker,
)

pytestmark = pytest.mark.broker


def test_a_broker_that_refuses_us_is_told_in_the_answer(asker: Asker, tmp_path: Path) -> None:
    with (
        refusing_broker(tmp_path) as port,
        running_agent(asker, tmp_path / "state", port, patience_s=1.0) as agent,
    ):
        while not agent.counters["broker_failures"]:
            time.sleep(0.01)
        agent.ask()

        answer = agent.answer()

    assert answer.origin is Origin.DEGRADED
    assert answer.flags == ("the broker refused us: Not authorized",)


def test_a_slow_broker_costs_time_and_repeats_but_no_second_answer(
    broker: RunningBroker, fleet: Fleet, asker: Asker, tmp_path: Path
) -> None:
    with (
        slow_road(broker.port, delay_s=0.4) as port,
        running_worker(fleet, tmp_path / "claims.db", broker.port),
        running_agent(asker, tmp_path / "state", port, resend_s=0.1) as agent,
    ):
        for number in range(5):
            agent.ask(identity=str(number))

        answers = [agent.answer() for _ in range(5)]
        assert agent.silent()

    assert {answer.origin for answer in answers} == {Origin.CLOUD}
    assert len({answer.ticket for answer in answers}) == 5
    assert agent.counters["resends"] > 0
    assert agent.counters["replies_repeated"] > 0


@contextmanager
def refusing_broker(folder: Path) -> Iterator[int]:
    """A mosquitto that knows nobody."""
    port = free_port()
    config, passwords = folder / "refusing.conf", folder / "passwords"
    passwords.touch()
    config.write_text(
        f"listener {port} {LOOPBACK}\nallow_anonymous false\npassword_file {passwords}\nuser root\n"
    )
    with subprocess.Popen([find_mosquitto(), "-c", config], stderr=subprocess.DEVNULL) as process:
        try:
            wait_until_it_answers(port)
            yield port
        finally:
            process.terminate()


def wait_until_it_answers(port: int) -> None:
    give_up_s = time.monotonic() + WITHIN_S
    while time.monotonic() < give_up_s:
        try:
            socket.create_connection((LOOPBACK, port)).close()
        except ConnectionRefusedError:
            time.sleep(0.01)
        else:
            return
    raise AssertionError("the broker did not start")


@contextmanager
def slow_road(  # noqa: C901 - two directions, each read on one thread and written on another
    port: int, *, delay_s: float
) -> Iterator[int]:
    """A way to a broker on which every byte takes its time."""
    closed = Event()
    with socket.create_server((LOOPBACK, 0)) as server, ExitStack() as connections:
        server.settimeout(0.1)

        def accept() -> None:
            while not closed.is_set():
                try:
                    near, _ = server.accept()
                except TimeoutError:
                    continue
                connections.enter_context(near)
                far = connections.enter_context(socket.create_connection((LOOPBACK, port)))
                for source, target in ((near, far), (far, near)):
                    Thread(target=crawl, args=(source, target), daemon=True).start()

        def crawl(source: socket.socket, target: socket.socket) -> None:
            late: SimpleQueue[tuple[float, bytes]] = SimpleQueue()
            Thread(target=hand_on, args=(late, target), daemon=True).start()
            data = b"."
            while data:
                try:
                    data = source.recv(65_536)
                except OSError:
                    data = b""
                late.put((time.monotonic() + delay_s, data))

        def hand_on(late: SimpleQueue[tuple[float, bytes]], target: socket.socket) -> None:
            while True:
                due_s, data = late.get()
                time.sleep(max(0.0, due_s - time.monotonic()))
                try:
                    if not data:
                        target.shutdown(socket.SHUT_WR)
                        return
                    target.sendall(data)
                except OSError:
                    return

        with on_a_thread(accept):
            try:
                yield int(server.getsockname()[1])
            finally:
                closed.set()
