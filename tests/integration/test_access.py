"""What a real broker allows, compared with the rules: every role, every topic, both ways."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import pytest

from broker.fleet import access
from broker.fleet.access import CONTROL, CONTROL_ANSWERS, Member, Role, members
from broker.fleet.certificates import OPERATOR
from broker.fleet.control import bring_into_line
from broker.fleet.guard import guarded_broker
from broker.fleet.members import members_of
from broker.fleet.mosquitto import RunningBroker
from broker.wire import topics
from broker.wire.session import FAILURE, Address
from broker.wire.topics import WorkerId
from tests.guarded import (
    DEVICES,
    FLEET,
    OTHER_POOL,
    POOL,
    WORKER,
    GuardedFleet,
    joining,
    linked,
    make_guarded_fleet,
    member,
)

pytestmark = pytest.mark.broker

INVITATION, SECRET = "invitation-1", "a password of the join code"
OURS = {"fleet": FLEET, "pool": POOL, "device": DEVICES[0], "id": WORKER}
THEIRS = {"fleet": "away", "pool": OTHER_POOL, "device": DEVICES[1], "id": INVITATION}
NOBODYS = {"name": "timestamp.json", "n": "0", "sha256": 64 * "0"}  # of releases


@dataclass(frozen=True)
class Guarded:
    """A running broker of a fleet."""

    fleet: GuardedFleet
    broker: RunningBroker

    def address(self, role: Role) -> Address:
        """Where a role connects."""
        if role.name.startswith("join."):
            return joining(self.broker, role, SECRET)
        return member(self.fleet, self.broker, role.name)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded")
    fleet = make_guarded_fleet(folder / "fleet")
    with guarded_broker(fleet.folder, folder / "broker") as broker:
        invited = Member(access.joiner(FLEET, INVITATION), SECRET)
        everybody = (*members_of(fleet.folder), invited)
        bring_into_line(fleet.folder, everybody, host=broker.host, port=broker.port)
        yield Guarded(fleet, broker)


ROLES = {
    role.name: role
    for role in (
        access.device(FLEET, DEVICES[0]),
        access.worker(FLEET, POOL, WORKER),
        access.operator(FLEET),
        access.releases(FLEET),
        access.exporter(FLEET),
        access.joiner(FLEET, INVITATION),
        Role("board-9", (), (), ()),  # has a certificate of the fleet, and is not enrolled
    )
}


def tree() -> Iterator[str]:
    """Every topic of the tree, with every mix of our own names and others'."""
    for template in re.findall(r"^    (fl/v1/\S+)", topics.__doc__ or "", re.MULTILINE):
        names = re.findall(r"<(\w+)>", template)
        for values in product(
            *({(NOBODYS | OURS)[name], (NOBODYS | THEIRS)[name]} for name in names)
        ):
            topic = template
            for name, value in zip(names, values, strict=True):
                topic = topic.replace(f"<{name}>", value)
            yield topic


STRANGE = (
    "x",
    "fl/v1",
    "fl/v1/home",
    "fl/v2/home/ask/main/board-1",
    CONTROL,
    CONTROL_ANSWERS,
    "$SYS/x",
)
TOPICS = tuple(sorted({*tree(), *STRANGE}))


def wildcards() -> Iterator[str]:
    """Filters around the tree: wider, narrower, shared."""
    yield from ("#", "+", "+/#", "$SYS/#", "$CONTROL/#", "fl/#", "fl/v1/+/#", "fl/v1/home/#")
    for topic in tree():
        levels = topic.split("/")
        for level in range(2, len(levels)):
            yield "/".join((*levels[:level], "#"))
            yield "/".join((*levels[:level], "+", *levels[level + 1 :]))
        yield f"$share/main/{topic}"
    for group, pool in product(("main", "other", "x"), ("main", "other")):
        yield f"$share/{group}/fl/v1/home/ask/{pool}/+"
    yield "$share/main/#"


FILTERS = tuple(sorted({*TOPICS, *wildcards()}))


def covers(allowed: str, wanted: str) -> bool:
    """Whether a filter is another, or wider. MQTT 5.0, section 4.7.1, for filters without '#'."""
    mine, theirs = allowed.split("/"), wanted.split("/")
    return len(mine) == len(theirs) and all(
        a == b or (a == "+" and b != "#") for a, b in zip(mine, theirs, strict=True)
    )


@pytest.mark.parametrize("role", ROLES.values(), ids=ROLES)
def test_the_broker_takes_what_a_role_may_publish_and_nothing_else(
    guarded: Guarded, role: Role
) -> None:
    candidates = [topic for topic in TOPICS if topic != CONTROL or role.name != OPERATOR]

    with linked(guarded.address(role)) as link:
        taken = {topic for topic in candidates if link.publish(topic) < FAILURE}

    assert taken == {
        topic for topic in candidates if any(covers(each, topic) for each in role.publish)
    }


@pytest.mark.parametrize("role", ROLES.values(), ids=ROLES)
def test_the_broker_lets_a_role_hear_what_it_may_and_nothing_else(
    guarded: Guarded, role: Role
) -> None:
    with linked(guarded.address(role), FILTERS) as link:
        link.publish("x")  # its refusal comes after those of the subscriptions
        granted = set(FILTERS) - link.refused()

    assert granted == {
        each for each in FILTERS if any(covers(allowed, each) for allowed in role.subscribe)
    }


@pytest.mark.parametrize("name", sorted(ROLES.keys() - {OPERATOR}))
def test_the_broker_brings_a_role_what_it_may_receive_and_nothing_else(
    guarded: Guarded, name: str
) -> None:
    listener, speaker = replace(ROLES[name], subscribe=("#",)), Role(DEVICES[1], ("#",), (), ())
    said = [topic for topic in TOPICS if not topic.startswith("$")]
    with (
        rules_for(guarded, listener, speaker),
        linked(guarded.address(listener), ("#",)) as link,
        linked(guarded.address(speaker)) as other,
    ):
        codes = [other.publish(topic) for topic in said]
        link.publish("x")  # its answer comes after all that was brought
        assert link.refused() == set()

    assert max(codes) < FAILURE
    assert sorted(link.heard()) == [
        topic for topic in said if any(covers(each, topic) for each in listener.receive)
    ]


@contextmanager
def rules_for(guarded: Guarded, *roles: Role) -> Iterator[None]:
    """Other rules for some, for as long as a block."""
    tell = partial(bring_into_line, host=guarded.broker.host, port=guarded.broker.port)
    names = {role.name for role in roles}
    usual = (*members_of(guarded.fleet.folder), Member(access.joiner(FLEET, INVITATION), SECRET))
    others = [each for each in usual if each.role.name not in names]
    changed = [Member(role, SECRET if role.name.startswith("join.") else "") for role in roles]
    tell(guarded.fleet.folder, [*others, *changed])
    try:
        yield
    finally:
        tell(guarded.fleet.folder, usual)


def test_every_topic_of_the_tree_has_somebody_who_may_say_it_and_one_who_may_hear_it() -> None:
    for topic in set(tree()) & {topic for topic in tree() if "/away/" not in topic}:
        said = [r.name for r in everybody() if any(covers(each, topic) for each in r.publish)]
        heard = [r.name for r in everybody() if any(covers(each, topic) for each in r.receive)]
        assert said, topic
        assert heard, topic


def everybody() -> Iterator[Role]:
    """A role for every name that the topics above have."""
    joiners = [(name, SECRET) for name in (WORKER, INVITATION)]
    workers = product((POOL, OTHER_POOL), (WORKER, WorkerId(INVITATION)))
    for each in members(FLEET, devices=DEVICES, workers=workers, invitations=joiners):
        yield each.role
