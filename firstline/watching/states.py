"""What every device and worker of a fleet said last, within bounds.

    topic, state --hear--> States --> devices, pools

Who may speak at the broker may write anything there: what has another form is passed over, and
beyond so many devices, names of counters and workers nothing new is taken. Each is counted.
"""

import json
from collections import Counter
from dataclasses import dataclass, replace
from threading import Lock

from broker.wire.topics import parse_device_state, parse_worker_presence
from firstline.heard import Standing, read

MOST_DEVICES = 1_000
_MOST_NAMES = 256  # of counters, in the whole fleet: a device of ours has some sixty
_MOST_WORKERS = 1_000
_MOST = 1_000_000  # questions that one worker may claim to take

Place = tuple[str, str]  # fleet and device, or fleet and pool


@dataclass(frozen=True, slots=True)
class Pool:
    """The workers of a pool together, as they say."""

    workers: int
    capacity: int
    load: int


class States:
    """Keeps what was heard last. May be used from any thread.

    Args:
        most_devices: Whose counters are kept, at most.
    """

    def __init__(self, most_devices: int = MOST_DEVICES) -> None:
        self._most_devices = most_devices
        self._devices: dict[Place, Standing] = {}
        self._workers: dict[tuple[str, str, str], tuple[int, int]] = {}  # capacity, load
        self._names: set[str] = set()
        self._refused: Counter[str] = Counter(unreadable=0, device=0, counter=0, worker=0)
        self._lock = Lock()

    def hear(self, topic: str, payload: bytes) -> None:
        """Take what was said on a topic; the empty message takes it back."""
        with self._lock:
            if parse_device_state(topic):
                self._hear_device(topic, payload)
            elif names := parse_worker_presence(topic):
                self._hear_worker(names, payload)

    def devices(self) -> list[Standing]:
        """Every device, as it told of itself last."""
        with self._lock:
            return list(self._devices.values())

    def pools(self) -> dict[Place, Pool]:
        """Every pool that has a worker."""
        with self._lock:
            found: dict[Place, Pool] = {}
            for (fleet, pool, _), (capacity, load) in self._workers.items():
                one = found.get((fleet, pool), Pool(0, 0, 0))
                found[fleet, pool] = Pool(one.workers + 1, one.capacity + capacity, one.load + load)
            return found

    def refused(self) -> dict[str, int]:
        """What was not taken, by what it was."""
        with self._lock:
            return dict(self._refused)

    def _hear_device(self, topic: str, payload: bytes) -> None:
        place = parse_device_state(topic)
        told = read(topic, payload) if payload else None
        if place is None or told is None:
            self._refused["unreadable"] += bool(payload)
            if place is not None and not payload:
                self._devices.pop(place, None)
        elif place not in self._devices and len(self._devices) >= self._most_devices:
            self._refused["device"] += 1
        else:
            self._devices[place] = self._bounded(told, self._devices.get(place))

    def _bounded(self, told: Standing, before: Standing | None) -> Standing:
        if not told.online and before is not None:  # a will has no counters: the last ones stay
            return replace(before, online=False)
        room = _MOST_NAMES - len(self._names)
        self._names |= set(sorted(told.counters.keys() - self._names)[:room])
        known = {
            name: count
            for name, count in told.counters.items()
            if name in self._names and count >= 0
        }
        self._refused["counter"] += len(told.counters) - len(known)
        return replace(told, counters=known)

    def _hear_worker(self, names: tuple[str, str, str], payload: bytes) -> None:
        if not payload:
            self._workers.pop(names, None)
            return
        numbers = _numbers(payload)
        if numbers is None:
            self._refused["unreadable"] += 1
        elif names not in self._workers and len(self._workers) >= _MOST_WORKERS:
            self._refused["worker"] += 1
        else:
            self._workers[names] = numbers


def _numbers(payload: bytes) -> tuple[int, int] | None:
    try:
        told = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    found = [told.get(name) if isinstance(told, dict) else None for name in ("capacity", "load")]
    if not all(type(each) is int and 0 <= each <= _MOST for each in found):
        return None
    return int(found[0] or 0), int(found[1] or 0)
