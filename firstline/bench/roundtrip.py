"""How long a sealed, durable question takes, beside a bare one, in the same run.

    Arrived --> queue --> Loop --> mask, seal, outbox (fsync) --> mosquitto --> worker process
    delivered <-- restore <-- unseal <-- reply <-- mosquitto <-- claim, open, echo, seal, store

Bare, sealed and guarded rounds take turns, so that all see the same noise of the machine. Guarded
ones are sealed ones on a fleet's own broker: mutual TLS and access rules.
"""

import secrets
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue

from broker.fleet.guard import guarded_broker
from broker.fleet.mosquitto import RunningBroker, running_broker
from broker.wire.session import Address, Event, Online, Received, Session
from firstline.bench.bare import BareDevice
from firstline.bench.figures import ON_DISK, percentile
from firstline.bench.fleet import make_fleet
from firstline.bench.sealed import SealedDevice, sealed_device

_BLOCK = 50  # rounds before the other kind has its turn
_WARM_UP = 50
_PATIENCE_S = 30.0
_PAUSE_S = 0.001  # between two rounds of either kind, as questions come in life
_LETTERS = str.maketrans("0123456789", "ghijklmnop")  # no digits: nothing to mask


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """The figures, times in milliseconds."""

    bare_p50_ms: float
    sealed_p50_ms: float
    sealed_p99_ms: float
    ratio: float  # sealed p50 / bare p50
    guarded_p50_ms: float
    guarded_p99_ms: float
    guarded_ratio: float  # guarded p50 / sealed p50
    request_overhead_bytes: int
    reply_overhead_bytes: int
    rounds: int  # of each kind
    bare_p99_ms: float
    question_bytes: int


@dataclass(frozen=True, slots=True)
class _Kind:
    """One of those who take turns."""

    ask: Callable[[], float]
    times_s: list[float] = field(default_factory=list)

    def turn(self, rounds: int) -> None:
        """Ask, and ask again."""
        for _ in range(rounds):
            time.sleep(_PAUSE_S)  # until the round before has been put away on both sides
            self.times_s.append(self.ask())

    @property
    def p50_s(self) -> float:
        return statistics.median(self.times_s)

    @property
    def p99_s(self) -> float:
        return percentile(self.times_s, 0.99)


def measure(rounds: int, size: int, progress: Callable[[int], None]) -> RoundTrip:
    """Ask `rounds` questions of `size` bytes of each kind.

    Raises:
        TimeoutError: no answer came.
    """
    with (
        tempfile.TemporaryDirectory(dir=ON_DISK) as name,
        _plain(Path(name) / "plain") as (broker, sealed_one),
        _guarded(Path(name) / "guarded") as guarded_one,
        BareDevice(broker.host, broker.port) as bare_one,
    ):
        payload = secrets.token_bytes(size)
        bare = _Kind(lambda: bare_one.ask(payload))
        sealed = _Kind(lambda: sealed_one.ask(_text(size)))
        guarded = _Kind(lambda: guarded_one.ask(_text(size)))
        _take_turns((bare, sealed, guarded), rounds, progress)
        sizes = _sizes_on_the_wire(broker.host, broker.port, sealed_one, size)
    return RoundTrip(
        bare_p50_ms=_ms(bare.p50_s),
        sealed_p50_ms=_ms(sealed.p50_s),
        sealed_p99_ms=_ms(sealed.p99_s),
        ratio=round(sealed.p50_s / bare.p50_s, 2),
        guarded_p50_ms=_ms(guarded.p50_s),
        guarded_p99_ms=_ms(guarded.p99_s),
        guarded_ratio=round(guarded.p50_s / sealed.p50_s, 3),
        request_overhead_bytes=sizes[0] - size,
        reply_overhead_bytes=sizes[1] - size,
        rounds=rounds,
        bare_p99_ms=_ms(bare.p99_s),
        question_bytes=size,
    )


def _take_turns(kinds: tuple[_Kind, ...], rounds: int, progress: Callable[[int], None]) -> None:
    for kind in kinds:
        kind.turn(_WARM_UP)
        kind.times_s.clear()
    for start in range(0, rounds, _BLOCK):
        block = min(_BLOCK, rounds - start)
        for kind in kinds:
            kind.turn(block)
        progress(block)


@contextmanager
def _plain(folder: Path) -> Iterator[tuple[RunningBroker, SealedDevice]]:
    keys = make_fleet(folder / "fleet")
    with (
        running_broker(folder / "broker") as broker,
        sealed_device(folder, keys, broker, tls=False) as device,
    ):
        yield broker, device


@contextmanager
def _guarded(folder: Path) -> Iterator[SealedDevice]:
    keys = make_fleet(folder / "fleet")
    with (
        guarded_broker(keys.fleet, folder / "broker") as broker,
        sealed_device(folder, keys, broker, tls=True) as device,
    ):
        yield device


def _sizes_on_the_wire(host: str, port: int, device: SealedDevice, size: int) -> tuple[int, int]:
    """Listen to one more exchange; bytes of its question and its reply."""
    heard: SimpleQueue[Event] = SimpleQueue()
    address = Address(host=host, port=port, client_id="bench-listener")
    filters = ["fl/v1/+/ask/+/+", "fl/v1/+/dev/+/answer"]
    with Session(address, subscriptions=filters, sink=heard.put):
        while not isinstance(heard.get(timeout=_PATIENCE_S), Online):
            pass
        time.sleep(0.2)  # until the broker has taken the subscriptions
        device.ask(_text(size))
        messages: list[Received] = []
        while len(messages) < 2:  # noqa: PLR2004 - a question and a reply
            event = heard.get(timeout=_PATIENCE_S)
            if isinstance(event, Received):
                messages.append(event)
    asked, answered = sorted(messages, key=lambda each: each.topic.endswith("/answer"))
    return len(asked.payload), len(answered.payload)


def _text(size: int) -> str:
    return secrets.token_hex(size)[:size].translate(_LETTERS)


def _ms(seconds: float) -> float:
    return round(seconds * 1e3, 3)
