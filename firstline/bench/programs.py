"""Programs that can be killed, stopped, frozen and started again, for benches and tests."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from broker.fleet.mosquitto import running_broker

_STOP_S = 60.0


class Program:
    """One of our programs, in as many lives as one likes.

    Args:
        log: Takes what it writes, whatever life it is in.
        arguments: The module, and its arguments.
        inside: What runs a command elsewhere, in a network namespace for instance.
    """

    def __init__(self, log: Path, *arguments: str, inside: Sequence[str] = ()) -> None:
        self._command = [*inside, sys.executable, "-m", *arguments]
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self.kills = 0

    @property
    def pid(self) -> int:
        """Its process id; 0 while it does not run."""
        return 0 if self._process is None else self._process.pid

    def start(self) -> None:
        """Start it."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own modules
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def kill(self) -> None:
        """End it as the kernel does when memory runs out: it gets no word."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
            self.kills += 1

    def freeze(self) -> None:
        """Let it run no further: it is there, and does nothing."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it run again."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def stop(self) -> int:
        """Ask it to end; return its exit code."""
        process, self._process = self._process, None
        if process is None:
            return 0
        process.terminate()
        return process.wait(_STOP_S)


class BrokerProgram:
    """mosquitto on one port, with one folder, in as many lives as one likes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = 0
        self._running = ExitStack()
        self._pid = 0
        self.kills = 0

    @property
    def port(self) -> int:
        """Where it listens; the same in every life."""
        return self._port

    @property
    def pid(self) -> int:
        """Its process id in this life, or the last one."""
        return self._pid

    def start(self) -> None:
        """Start it, and wait until it answers."""
        broker = self._running.enter_context(running_broker(self._folder, port=self._port))
        self._port, self._pid = broker.port, broker.pid

    def kill(self) -> None:
        """End it without a word: it loses what it had not saved."""
        os.kill(self._pid, signal.SIGKILL)
        self.stop()
        self.kills += 1

    def stop(self) -> None:
        """Let it save its state and end."""
        self._running.close()


def place(name: str) -> tuple[str, int]:
    """Host and port of HOST:PORT."""
    host, _, port = name.rpartition(":")
    return host, int(port)
