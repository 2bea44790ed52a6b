"""A real mosquitto with our safe settings, for as long as a `with` block lasts.

Used by `firstline broker up`, the demo, the benches and the tests: they all run the same broker.
"""

import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from broker.fleet import settings
from broker.fleet.errors import BrokerMissingError, BrokerStartError
from broker.fleet.private import make_private

LOOPBACK: Final = "127.0.0.1"
LOG: Final = "mosquitto.log"
_START_S: Final = 30.0
_STOP_S: Final = 10.0
_POLL_S: Final = 0.01
_PORTS: Final = range(20_000, 30_000)  # below those that Linux gives to whoever connects: see ip(7)
_TRIES: Final = 100
_SYSTEM_FOLDERS: Final = "/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin"  # often not in PATH


@dataclass(frozen=True, slots=True)
class RunningBroker:
    """Where the broker listens, and which process it is."""

    host: str
    port: int
    pid: int
    join_port: int = 0  # for boards that have no certificate yet; 0: there is none


@contextmanager
def running_broker(folder: Path, *, port: int = 0, bind: str = LOOPBACK) -> Iterator[RunningBroker]:
    """Run mosquitto in the clear with its state in `folder`; port 0 takes a free one.

    Raises:
        BrokerMissingError: there is no mosquitto.
        BrokerStartError: it does not start, with its own reason.
    """
    binary = find_mosquitto()
    (port,) = free_ports(bind, port)
    write = partial(write_config, folder, port=port, bind=bind)
    with serving(binary, write, bind, [port]) as pid:
        yield RunningBroker(bind, port, pid)


def find_mosquitto() -> str:
    """The path of the mosquitto binary.

    Raises:
        BrokerMissingError: there is none.
    """
    path = shutil.which("mosquitto") or shutil.which("mosquitto", path=_SYSTEM_FOLDERS)
    if path is None:
        raise BrokerMissingError("mosquitto is missing: sudo apt-get install --yes mosquitto")
    return path


def write_config(folder: Path, *, port: int, bind: str = LOOPBACK) -> Path:
    """Write mosquitto's settings into `folder`, where it also keeps its state."""
    make_private(folder)
    path = folder / settings.CONFIG
    path.write_text(settings.plain(folder.resolve(), port=port, bind=bind), encoding="utf-8")
    run_as_us(path)
    return path


def run_as_us(config: Path) -> None:
    """Have a mosquitto that is started with these settings remain the user that starts it."""
    if os.geteuid() == 0:
        # As root, mosquitto becomes the user `mosquitto`, who may not enter a private folder.
        with config.open("a", encoding="utf-8") as file:
            file.write("user root\n")


@contextmanager
def serving(
    binary: str, write: Callable[[], Path], bind: str, ports: Sequence[int]
) -> Iterator[int]:
    """Run mosquitto with the settings that `write` writes; its process id, once all ports answer.

    Raises:
        BrokerStartError: it does not start, with its own reason.
    """
    process = _launch(binary, write, ports, bind)
    try:
        yield process.pid
    finally:
        _stop(process)


def _launch(
    binary: str, write: Callable[[], Path], ports: Sequence[int], bind: str
) -> subprocess.Popen[bytes]:
    try:
        config = write()
        log = config.with_name(LOG)
        with log.open("wb") as sink:
            command = [binary, "-c", str(config)]
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink)  # noqa: S603 - our own arguments
    except OSError as error:
        raise BrokerStartError(f"{error.filename}: {error.strerror}") from error
    try:
        for port in ports:  # it opens them one after the other
            _wait_until_it_answers(process, log, port, bind)
    except BaseException:
        _stop(process)
        raise
    return process


def _wait_until_it_answers(
    process: subprocess.Popen[bytes], log: Path, port: int, bind: str
) -> None:
    give_up_s = time.monotonic() + _START_S
    while time.monotonic() < give_up_s:
        if process.poll() is not None:
            reason = log.read_text(errors="replace").strip() or f"exit status {process.returncode}"
            raise BrokerStartError(f"mosquitto stopped at once: {reason}")
        if _answers(bind, port):
            return
        time.sleep(_POLL_S)
    raise BrokerStartError(f"mosquitto does not answer on {bind}:{port}; see {log}")


def _answers(bind: str, port: int) -> bool:
    try:
        socket.create_connection((bind, port), timeout=1.0).close()
    except OSError:
        return False
    return True


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()  # mosquitto then saves its state
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_ports(bind: str, *ports: int) -> list[int]:
    """Try ports, or find free ones for 0, as mosquitto will: with SO_REUSEADDR.

    One that the kernel chose could be taken again before mosquitto listens, or while it restarts:
    by any program that connects to anything.

    Raises:
        BrokerStartError: one is taken.
    """
    found: list[int] = []
    with ExitStack() as stack:  # all at once, so that no two are the same
        for port in ports:
            try:
                server = stack.enter_context(_bound(bind, port))
            except OSError as error:
                reason = os.strerror(error.errno) if error.errno else str(error)
                raise BrokerStartError(
                    f"port {port} of {bind} cannot be used ({reason}): "
                    "stop what listens there, or choose another port or address"
                ) from error
            found.append(int(server.getsockname()[1]))
    return found


def _bound(bind: str, port: int) -> socket.socket:
    for _ in range(0 if port else _TRIES):
        with suppress(OSError):  # somebody listens there
            return socket.create_server((bind, secrets.choice(_PORTS)))
    return socket.create_server((bind, port))
