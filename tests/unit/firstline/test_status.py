"""`firstline status`: what a running agent tells the board's own users, and systemd."""

import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from broker.fleet.mosquitto import running_broker
from firstline.exits import ExitCode
from tests.unit.firstline.conftest import Home, use_port

pytestmark = pytest.mark.broker
PATIENCE_S = 30.0
BOARD = """
[board]
throttle_c = 110.0
power = "mains"
metered_file = "metered"
"""


class Service:
    """An agent or a worker as systemd runs it, and what it says to systemd."""

    def __init__(self, home: Home, line: socket.socket, runtime: Path, *words: str) -> None:
        self.home, self.line, self.runtime = home, line, runtime
        self.heard: list[list[str]] = []
        environment = {
            "NOTIFY_SOCKET": str(line.getsockname()),
            "WATCHDOG_USEC": "1000000",
            "RUNTIME_DIRECTORY": str(runtime),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "firstline", *words],
            env=environment,
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def listen(self, wanted: Callable[["Service"], bool]) -> None:
        """Hear what it says until something has come."""
        give_up_s = time.monotonic() + PATIENCE_S
        while not wanted(self):
            assert time.monotonic() < give_up_s, self.heard
            self.heard.append(self.line.recv(4096).decode().splitlines())

    def status(self, *more: str) -> tuple[int, dict[str, object]]:
        words = [sys.executable, "-m", "firstline", "status", "--json", *more]
        done = subprocess.run(
            [*words, "--settings", str(self.home.agent)], capture_output=True, check=False
        )
        found = json.loads(done.stdout)
        assert isinstance(found, dict)
        return done.returncode, found


@pytest.fixture(params=["agent"])
def service(home: Home, request: pytest.FixtureRequest) -> Iterator[Service]:
    (home.folder / "metered").write_text("yes\n")
    with (
        running_broker(home.folder / "broker") as broker,
        tempfile.TemporaryDirectory() as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line,
    ):
        line.bind(str(Path(folder) / "notify"))
        line.settimeout(PATIENCE_S)
        use_port(home, broker.port)
        home.agent.write_text(home.agent.read_text() + BOARD)
        settings = {"agent": home.agent, "worker": home.worker}[request.param]
        run = (request.param, "run", "--settings", str(settings))
        started = Service(home, line, Path(folder), *run)
        try:
            yield started
        finally:
            started.process.kill()
            started.process.communicate()


def test_systemd_and_the_boards_user_learn_how_the_agent_fares(service: Service) -> None:
    service.listen(lambda said: len(said.heard) > 3)
    service.listen(lambda said: "STATUS=online, 0 waiting, asking is costly" in said.heard[-1])

    ready = service.heard[0]
    code, found = service.status()

    # 30 s for a child to start, 5 s for its answer, twice, and some: longer than the unit's second.
    assert ready[:3] == ["READY=1", "WATCHDOG_USEC=80000000", "WATCHDOG=1"]
    assert all(said[0] == "WATCHDOG=1" for said in service.heard[1:])
    assert code == 0
    assert (found["fleet"], found["device"]) == ("home", "kitchen")
    assert found["pid"] == service.process.pid
    assert found["measures"] == {"hot": False, "costly": True}
    models = found["models"]
    assert isinstance(models, list)
    assert [(each["package"], each["threads"], each["pid"]) for each in models] == [
        ("small", 1, None)
    ]
    assert (service.runtime / "status.json").stat().st_mode & 0o777 == 0o644
    assert (service.home.folder / "state" / "status.json").is_symlink()


@pytest.mark.parametrize("service", ["worker"], indirect=True)
def test_a_worker_tells_systemd_too(service: Service) -> None:
    service.listen(lambda said: "STATUS=broker ok, 0 questions" in str(said.heard[-1:]))

    assert service.heard[0][:3] == ["READY=1", "WATCHDOG_USEC=30000000", "WATCHDOG=1"]


def test_an_agent_that_has_ended_is_no_running_one(service: Service) -> None:
    service.listen(lambda said: bool(said.heard))
    service.process.send_signal(signal.SIGTERM)
    service.process.communicate(timeout=PATIENCE_S)

    code, found = service.status()

    assert code == ExitCode.FAILURE
    assert "the agent has ended" in str(found["error"])


def test_where_no_agent_ever_ran_the_remedy_is_told(home: Home) -> None:
    words = [sys.executable, "-m", "firstline", "status", "--settings", str(home.agent)]

    done = subprocess.run(words, capture_output=True, text=True, check=False)

    assert done.returncode == ExitCode.FAILURE
    assert "no agent runs here" in done.stderr
    assert "try: firstline agent run" in done.stderr
