"""A throw-away fleet with one device, for benchmarks and the demo."""

import time
from dataclasses import dataclass
from pathlib import Path

from broker.fleet.keys import enroll, init
from broker.wire.topics import DeviceId, FleetId, PoolId

ECHO = "echo"
_FLEET, _POOL, _DEVICE = FleetId("bench"), PoolId("main"), DeviceId("board-1")


@dataclass(frozen=True, slots=True)
class FleetKeys:
    """Where the keys lie."""

    fleet: Path  # the operator's
    device: Path
    worker: Path


def make_fleet(folder: Path) -> FleetKeys:
    """Make a fleet's keys, and enrol one device."""
    init(folder, _FLEET)
    made = enroll(folder, _DEVICE, _POOL, now_s=time.time())
    return FleetKeys(folder, made.device_folder, made.worker_folder)
