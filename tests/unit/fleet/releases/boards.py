"""Devices that sign what they say of their updates, and releases that they speak of."""

from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.fleet.releases.courses import Course
from broker.fleet.releases.rollouts import Rollouts
from broker.fleet.releases.waves import Waves
from broker.wire import topics
from broker.wire.release import Choice, PackagePlan, Rollout
from broker.wire.roster import Enrolled, Roster
from broker.wire.topics import DeviceId, FleetId
from broker.wire.update_report import Progress, State, UpdateReport, seal_report
from tests.releases import GROUP, PACKAGE, a_plan, a_rollout

FIRST, SECOND = a_plan("1.0.0"), a_plan("1.1.0")
WAVES = Waves(percents=(50.0, 100.0), wait_s=60.0, success=0.9, patience_s=3600.0)
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
BOARDS = tuple(ROSTER.devices)
SECOND_WAVE = "release 1 of lights for all: wave 2 of 2, 100 %"


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


def draft(plan: PackagePlan = FIRST, *, group: str = GROUP) -> Course:
    return Course(
        group=group,
        package=PACKAGE,
        version=plan.version,
        rollout=a_rollout(1, plan),
        waves=WAVES,
        began_s=0.0,
    )


def said(course: Course, states: Mapping[str, State]) -> dict[str, UpdateReport]:
    """What the boards say of a release."""
    digest = course.rollout.choices[0].sha256
    return {
        name: report(
            name,
            progress(
                state,
                package=PACKAGE,
                group=course.group,
                release=course.rollout.release,
                digest=digest,
                running=digest if state == "done" else "",
            ),
        )
        for name, state in states.items()
    }


def deeds(rollouts: Rollouts) -> list[tuple[str, str]]:
    return [(each.what, each.who) for each in rollouts.ledger.history().entries]
