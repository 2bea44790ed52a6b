"""`firstline status`: what a running agent tells the board's own users, and systemd."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from broker.fleet.mosquitto import running_broker
from firstline import cli
from firstline.exits import ExitCode
from tests.unit.firstline.conftest import Home, use_port

pytestmark = pytest.mark.broker
PATIENCE_S = 60.0
BOARD = """
[board]
throttle_c = 110.0
power = "mains"
metered_file = "metered"
"""


SMALL = {"package": "small", "threads": 2, "pid": 7, "memory_mb": 54.4, "starts": 1}
LARGE = {"package": "large", "threads": 1, "pid": None, "memory_mb": None, "starts": 0}
STATUS: dict[str, Any] = {
    "pid": os.getpid(),
    "version": "0.1.0",
    "fleet": "home",
    "device": "kitchen",
    "pool": "cloud",
    "state": "/somewhere",
    "online": False,
    "trouble": "no worker is listening",
    "waiting": 2,
    "models": [SMALL, LARGE],
    "board": {
        "temperature_c": 81.2,
        "slowed": True,
        "on_battery": True,
        "charge": 0.42,
        "metered": True,
    },
    "measures": {"hot": True, "costly": True},
    "memory_mb": 29.0,
    "writes": {"mb": 0.42, "mb_per_day": 3.1, "budget_mb_per_day": 200.0},
    "counters": {"asked": 5},
}
SHOWN = """\
home/kitchen  firstline 0.1.0, pid {pid}
up        3 h 12 min
link      offline, pool cloud
queue     2 waiting: no worker is listening
models    small, 2 threads, 54 MiB, 1 starts
          large, 1 thread, not loaded, 0 starts
board     81 degrees Celsius, slowed down, on battery (42% charged), the link is metered
measures  half the threads, since it is hot; asking is costly, see frugal_share and frugal_wait_s
memory    29 MiB, 83 with the models
written   0.4 MB to disk since it started, 3 MB a day of 200 that it may
    asked  5
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


@pytest.mark.parametrize(
    ("order", "told"),
    [(signal.SIGKILL, "the agent has ended"), (signal.SIGTERM, "no agent runs here")],
)
def test_an_agent_that_has_ended_is_no_running_one(
    service: Service, order: signal.Signals, told: str
) -> None:
    service.listen(lambda said: len(said.heard) > 1)
    service.process.send_signal(order)
    service.process.communicate(timeout=PATIENCE_S)

    code, found = service.status()

    assert code == ExitCode.FAILURE
    assert told in str(found["error"])


def write(home: Home, age_s: float) -> None:
    """What an agent that is three hours old wrote so long ago."""
    now_s = time.clock_gettime(time.CLOCK_BOOTTIME)
    times = {"started_s": now_s - 11_520.0, "written_s": now_s - age_s}
    (home.folder / "state").mkdir()
    (home.folder / "state" / "status.json").write_text(json.dumps(STATUS | times))


def test_an_agent_that_hangs_is_told(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    write(home, age_s=600.0)

    code = cli.main(["status", "--settings", str(home.agent)])

    assert code == ExitCode.TIMEOUT
    assert "the agent has told nothing for 10 min" in capsys.readouterr().err


def test_people_see_all_of_it(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    write(home, age_s=1.0)

    assert cli.main(["status", "--settings", str(home.agent)]) == 0

    assert capsys.readouterr().out == SHOWN.format(pid=os.getpid())


def test_where_no_agent_ever_ran_the_remedy_is_told(home: Home) -> None:
    words = [sys.executable, "-m", "firstline", "status", "--settings", str(home.agent)]

    done = subprocess.run(words, capture_output=True, text=True, check=False)

    assert done.returncode == ExitCode.FAILURE
    assert "no agent runs here" in done.stderr
    assert "try: firstline agent run" in done.stderr
