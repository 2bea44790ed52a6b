"""Two network namespaces joined by a bad wire, which loses, delays and reorders packets.

    [ this namespace: broker, worker ] fl-near <--- packets, on a thread ---> fl-far [ agent ]

Both ends are TUN devices, and what lies between is this module: `tc netem` does the same, where the
kernel has it, and many small machines' kernels do not.
"""

import fcntl
import heapq
import os
import random
import select
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count

NEAR, FAR = "10.213.77.1", "10.213.77.2"
INSIDE = ("ip", "netns", "exec", "firstline-far")  # runs a command on the far side
_SPACE = INSIDE[-1]
_TUNSETIFF, _IFF_TUN_NO_PI = 0x400454CA, 0x1001
_PACKET_BYTES = 1 << 16
_LOOK_S = 0.05


class NotAllowedError(Exception):
    """This machine does not allow it, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Badness:
    """How bad it is, in each direction."""

    loss: float = 0.0  # share of packets, in [0, 1]
    delay_s: float = 0.0
    jitter_s: float = 0.0  # added to the delay by lot, so packets overtake each other


@dataclass(slots=True)
class Wire:
    """Carries packets from one end to the other."""

    ends: tuple[int, int]  # file descriptors
    dice: random.Random
    badness: Badness = field(default_factory=Badness)
    lost: int = 0
    carried: int = 0
    _running: bool = True

    def cut(self) -> None:
        """Nothing passes any more, and nobody is told."""
        self.badness = Badness(loss=1.0)

    def stop(self) -> None:
        """Carry no more."""
        self._running = False

    def carry(self) -> None:
        """Carry packets until `stop`."""
        under_way: list[tuple[float, int, int, bytes]] = []
        numbers = count()
        while self._running:
            wait_s = under_way[0][0] - time.monotonic() if under_way else _LOOK_S
            ready, _, _ = select.select(self.ends, [], [], min(_LOOK_S, max(0.0, wait_s)))
            for end in ready:
                packet = os.read(end, _PACKET_BYTES)
                if self.dice.random() < self.badness.loss:
                    self.lost += 1
                    continue
                delay_s = self.badness.delay_s + self.dice.uniform(0.0, self.badness.jitter_s)
                other = self.ends[1 - self.ends.index(end)]
                due_s = time.monotonic() + delay_s
                heapq.heappush(under_way, (due_s, next(numbers), other, packet))
            while under_way and under_way[0][0] <= time.monotonic():
                _, _, other, packet = heapq.heappop(under_way)
                os.write(other, packet)
                self.carried += 1


@contextmanager
def wire(seed: int) -> Iterator[Wire]:
    """Lay a wire, and take it away.

    Raises:
        NotAllowedError: this machine does not allow it.
    """
    with ExitStack() as last:
        run("ip", "netns", "add", _SPACE)
        last.callback(run, "ip", "netns", "delete", _SPACE)
        ends = (_tun(last, "fl-near"), _tun(last, "fl-far"))
        run("ip", "link", "set", "fl-far", "netns", _SPACE)
        for inside, name, ours, theirs in (
            ((), "fl-near", NEAR, FAR),
            (INSIDE, "fl-far", FAR, NEAR),
        ):
            run(*inside, "ip", "address", "add", ours, "peer", theirs, "dev", name)
            run(*inside, "ip", "link", "set", name, "up")
        run(*INSIDE, "ip", "link", "set", "lo", "up")  # paho wakes its own thread through it
        found = Wire(ends, random.Random(seed))  # noqa: S311 - a seeded test, not a secret
        carrier = threading.Thread(target=found.carry, name="wire")
        last.callback(carrier.join)
        last.callback(found.stop)
        carrier.start()
        yield found


def _tun(last: ExitStack, name: str) -> int:
    try:
        end = os.open("/dev/net/tun", os.O_RDWR)
        last.callback(os.close, end)
        fcntl.ioctl(end, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN_NO_PI))
    except OSError as error:
        raise NotAllowedError(f"no network device can be made: {error.strerror}") from error
    return end


def run(*command: str) -> None:
    """Run a command of iproute2."""
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise NotAllowedError(f"{command[0]} is missing: apt-get install iproute2") from error
    except subprocess.CalledProcessError as error:
        raise NotAllowedError(f"{' '.join(command)}: {error.stderr.strip()}") from error
