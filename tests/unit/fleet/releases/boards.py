"""Devices that sign what they say of their updates, and a release that they speak of."""

from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.wire import topics
from broker.wire.release import Choice, Rollout
from broker.wire.roster import Enrolled, Roster
from broker.wire.topics import DeviceId, FleetId
from broker.wire.update_report import Progress, State, UpdateReport, seal_report

FLEET = FleetId("home")
NAMES = tuple(f"board-{number}" for number in range(1, 11))
KEYS = {name: Ed25519PrivateKey.generate() for name in NAMES}
ROSTER = Roster(
    fleet=FLEET,
    version=1,
    devices={
        name: Enrolled(keys=(key.public_key().public_bytes_raw().hex(),))
        for name, key in KEYS.items()
    },
)
PLAN, OTHER_PLAN = "1" * 64, "2" * 64
ROLLOUT = Rollout(
    number=1,
    release=3,
    choices=(Choice(path="demo/1.0.0/q8.json", sha256=PLAN),),
    state="running",
    salt="0123456789abcdef",
    percent=100.0,
)


def progress(state: State, **changes: Any) -> Progress:  # noqa: ANN401 - any field
    told: dict[str, Any] = {
        "package": "demo",
        "state": state,
        "group": "all",
        "release": 3,
        "digest": PLAN,
        "running": PLAN if state == "done" else "",
    }
    return Progress(**(told | changes))


def report(
    name: str,
    *packages: Progress,
    order: tuple[int, int] = (1, 1),
    groups: tuple[str, ...] = ("all",),
) -> UpdateReport:
    session, count = order
    return UpdateReport(
        fleet=FLEET, device=name, session=session, count=count, groups=groups, packages=packages
    )


def sealed(told: UpdateReport, key: Ed25519PrivateKey | None = None) -> tuple[str, bytes]:
    """Where a report stands, and its bytes, signed by its device or with another key."""
    topic = topics.device_update(FLEET, DeviceId(told.device))
    return topic, seal_report(told, key or KEYS[told.device])
