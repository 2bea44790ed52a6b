"""A real mosquitto with our safe settings, for as long as a `with` block lasts.

Used by `firstline broker up`, the demo, the benches and the tests: they all run the same broker.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from broker.fleet.errors import BrokerMissingError, BrokerStartError
from broker.fleet.private import make_private

LOOPBACK: Final = "127.0.0.1"
_START_S: Final = 10.0
_STOP_S: Final = 10.0
_POLL_S: Final = 0.01
_SYSTEM_FOLDERS: Final = "/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin"  # often not in PATH

# What each line is there for: broker/README.md, "The broker's settings".
_CONFIG: Final = """\
# Written by firstline at each start; changes here are lost.
listener {port} {bind}
allow_anonymous true
set_tcp_nodelay true
max_inflight_messages 64
max_queued_messages 1000
max_packet_size 262144
memory_limit 268435456
persistence true
persistence_location {folder}/
persistence_file broker.db
autosave_interval 60
persistent_client_expiration 14d
connection_messages false
log_dest stderr
log_type error
log_type warning
"""


@dataclass(frozen=True, slots=True)
class RunningBroker:
    """Where the broker listens, and which process it is."""

    host: str
    port: int
    pid: int


@contextmanager
def running_broker(folder: Path, *, port: int = 0, bind: str = LOOPBACK) -> Iterator[RunningBroker]:
    """Run mosquitto with its state in `folder`; port 0 takes a free one.

    Raises:
        BrokerMissingError: there is no mosquitto.
        BrokerStartError: it does not start, with its own reason.
    """
    binary = find_mosquitto()
    port = _free_port(bind, port)
    process = _launch(binary, folder, port, bind)
    try:
        yield RunningBroker(bind, port, process.pid)
    finally:
        _stop(process)


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
    config = _CONFIG.format(port=port, bind=bind, folder=folder.resolve())
    if os.geteuid() == 0:
        # As root, mosquitto becomes the user `mosquitto`, who may not enter a private folder.
        config += "user root\n"
    path = folder / "mosquitto.conf"
    path.write_text(config, encoding="utf-8")
    return path


def _launch(binary: str, folder: Path, port: int, bind: str) -> subprocess.Popen[bytes]:
    try:
        config = write_config(folder, port=port, bind=bind)
        log = folder / "mosquitto.log"
        with log.open("wb") as sink:
            command = [binary, "-c", str(config)]
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink)  # noqa: S603 - our own arguments
    except OSError as error:
        raise BrokerStartError(f"{error.filename}: {error.strerror}") from error
    try:
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


def _free_port(bind: str, port: int) -> int:
    """Try a port, or find a free one for 0, as mosquitto will: with SO_REUSEADDR."""
    try:
        with socket.create_server((bind, port)) as server:
            return int(server.getsockname()[1])
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise BrokerStartError(
            f"port {port} of {bind} cannot be used ({reason}): "
            "stop what listens there, or choose another port or address"
        ) from error
