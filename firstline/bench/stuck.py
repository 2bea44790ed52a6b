"""How long a question waits when one of two workers is stuck or dead.

    agent --> mosquitto, which deals out blindly --> worker that answers
                                                 `-> worker that is frozen, or killed

Nobody tells the broker that a frozen worker does nothing: what it was dealt is sent again.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue

from broker.fleet.mosquitto import RunningBroker, running_broker
from broker.wire.session import Address, Event, Received, Session
from firstline.assemble import RESEND_S
from firstline.bench.fleet import make_fleet
from firstline.bench.programs import Program
from firstline.bench.sealed import SealedDevice, sealed_device

_WORD = "on"
_WORKERS = 2
_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Stuck:
    """The figures, in seconds; the longest of the questions that were asked one after the other."""

    healthy_s: float  # both workers answer
    stuck_s: float  # one is frozen, and looks alive to the broker
    dead_s: float  # one was killed
    more_s: float  # than with a healthy pair, at worst
    resend_s: float  # after so long without a reply a question is sent again
    rounds: int  # of each kind


def measure(rounds: int, progress: Callable[[int], None]) -> Stuck:
    """Ask `rounds` questions of each kind.

    Raises:
        TimeoutError: no answer came.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        keys = make_fleet(folder / "fleet")
        with (
            running_broker(folder / "broker") as broker,
            sealed_device(folder, keys, broker, tls=False) as device,
        ):
            where = (str(keys.worker), broker.host, str(broker.port))
            second = Program(folder / "worker.log", "firstline.bench.echo_worker", *where)
            second.start()
            try:
                _wait_for_workers(broker)
                healthy_s = _longest_s(device, rounds, progress)
                second.freeze()
                stuck_s = _longest_s(device, rounds, progress)
                second.thaw()
            finally:
                second.kill()
            dead_s = _longest_s(device, rounds, progress)
    return Stuck(
        healthy_s=round(healthy_s, 3),
        stuck_s=round(stuck_s, 3),
        dead_s=round(dead_s, 3),
        more_s=round(max(stuck_s, dead_s) - healthy_s, 3),
        resend_s=RESEND_S,
        rounds=rounds,
    )


def _wait_for_workers(broker: RunningBroker) -> None:
    heard: SimpleQueue[Event] = SimpleQueue()
    address = Address(host=broker.host, port=broker.port, client_id="bench-listener")
    there: set[str] = set()
    give_up_s = time.monotonic() + _PATIENCE_S
    with Session(address, subscriptions=["fl/v1/+/pool/+/worker/+"], sink=heard.put):
        while len(there) < _WORKERS:
            try:
                event = heard.get(timeout=max(0.0, give_up_s - time.monotonic()))
            except Empty:
                raise TimeoutError("the workers did not come") from None
            if isinstance(event, Received):
                there.add(event.topic)


def _longest_s(device: SealedDevice, rounds: int, progress: Callable[[int], None]) -> float:
    longest_s = 0.0
    for _ in range(rounds):
        longest_s = max(longest_s, device.ask(_WORD))
        progress(1)
    return longest_s
