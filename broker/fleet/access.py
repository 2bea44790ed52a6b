"""Who may say and hear what at the broker. Pure: roles made from the topic tree, nothing else.

    <device>          says its questions, its state, its wish for new keys, how its update goes,
                      which blocks it lacks; hears its answers, its state, workers, pools' keys,
                      its new certificate, releases
    <pool>.<worker>   says answers, its presence; hears its pool's questions, shared
    .operator         says pools' keys, answers to joins and wishes, rules, releases; hears states,
                      workers, joins, wishes, updates
    .releases         says releases, for as long as they are served; hears updates, and which blocks
                      boards lack
    .exporter         says nothing; hears states and workers, for metrics
    join.<id>         says the one request to join; hears the one answer

What no role names is refused. A role's name is the user name, the client id and, but for `join.`,
the common name of the certificate. Names have no dots, so nobody can be called like another kind.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from broker.fleet.certificates import EXPORTER, OPERATOR, RELEASES, worker_name
from broker.wire import topics
from broker.wire.topics import DeviceId, FleetId, PoolId, WorkerId

CONTROL = "$CONTROL/dynamic-security/v1"  # where mosquitto's plugin takes commands
CONTROL_ANSWERS = f"{CONTROL}/response"
_ANY_POOL, _ANY_DEVICE, _ANY_INVITATION = PoolId("+"), DeviceId("+"), "+"


@dataclass(frozen=True, slots=True)
class Role:
    """What one client may do. Topic filters; a subscription may be narrower, never wider."""

    name: str
    publish: tuple[str, ...]
    receive: tuple[str, ...]
    subscribe: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """A client that the broker knows: by its certificate, or by a password while it joins."""

    role: Role
    password: str = field(default="", repr=False)


def device(fleet: FleetId, name: DeviceId) -> Role:
    """A device. It may ask any pool, since the fleet's root decides whom it has keys to."""
    heard = (
        topics.answer(fleet, name),
        topics.device_state(fleet, name),  # to see what else is said of it
        topics.every_worker(fleet, _ANY_POOL),
        topics.pool_keys(fleet, _ANY_POOL),
        topics.renewal_answer(fleet, name),
        topics.release_metadata(fleet, "+", "+"),
        topics.release_block(fleet, "+"),
    )
    said = (
        topics.Route(fleet, _ANY_POOL, name).ask,
        topics.device_state(fleet, name),
        topics.renewal_request(fleet, name),
        topics.device_update(fleet, name),
        topics.device_wants(fleet, name),
    )
    return Role(name, said, heard, heard)


def worker(fleet: FleetId, pool: PoolId, name: WorkerId) -> Role:
    """A worker. It may answer any device: a reply that is not the question's does not open."""
    return Role(
        worker_name(pool, name),
        (topics.answer(fleet, _ANY_DEVICE), topics.worker_presence(fleet, pool, name)),
        (topics.Route(fleet, pool, _ANY_DEVICE).ask,),
        (topics.shared_questions(fleet, pool),),
    )


def operator(fleet: FleetId) -> Role:
    """The operator: hands out keys, lets devices join, changes these rules."""
    heard = (
        topics.device_state(fleet, _ANY_DEVICE),
        topics.every_worker(fleet, _ANY_POOL),
        topics.pool_keys(fleet, _ANY_POOL),
        topics.join_request(fleet, _ANY_INVITATION),
        topics.renewal_request(fleet, _ANY_DEVICE),
        topics.device_update(fleet, _ANY_DEVICE),
        topics.device_wants(fleet, _ANY_DEVICE),
        topics.release_metadata(fleet, "+", "+"),
        topics.release_block(fleet, "+"),
        CONTROL_ANSWERS,
    )
    said = (
        topics.pool_keys(fleet, _ANY_POOL),
        topics.join_answer(fleet, _ANY_INVITATION),
        topics.renewal_answer(fleet, _ANY_DEVICE),
        topics.release_metadata(fleet, "+", "+"),
        topics.release_block(fleet, "+"),
        CONTROL,
    )
    return Role(OPERATOR, said, heard, heard)


def releases(fleet: FleetId) -> Role:
    """Who serves releases day and night: can neither change rules nor hand out keys."""
    said = (topics.release_metadata(fleet, "+", "+"), topics.release_block(fleet, "+"))
    heard = (
        topics.device_update(fleet, _ANY_DEVICE),
        topics.device_wants(fleet, _ANY_DEVICE),
        *said,
    )
    return Role(RELEASES, said, heard, heard)


def exporter(fleet: FleetId) -> Role:
    """Who turns what devices and workers say of themselves into metrics, and can do nothing else.

    It is connected all day, which the operator's name cannot be: the broker ends the older of two
    connections under one name.
    """
    heard = (
        topics.device_state(fleet, _ANY_DEVICE),
        topics.every_worker(fleet, _ANY_POOL),
    )
    return Role(EXPORTER, (), heard, heard)


def joiner(fleet: FleetId, invitation: str) -> Role:
    """A board that has an invitation and no certificate yet."""
    answer = topics.join_answer(fleet, invitation)
    return Role(
        joiner_name(invitation), (topics.join_request(fleet, invitation),), (answer,), (answer,)
    )


def joiner_name(invitation: str) -> str:
    """A joining board's name at the broker."""
    return f"join.{invitation}"


def members(
    fleet: FleetId,
    *,
    devices: Iterable[DeviceId],
    workers: Iterable[tuple[PoolId, WorkerId]],
    invitations: Iterable[tuple[str, str]] = (),
) -> tuple[Member, ...]:
    """All that a fleet's broker knows; an invitation is its id and its password."""
    return (
        Member(operator(fleet)),
        Member(releases(fleet)),
        Member(exporter(fleet)),
        *(Member(device(fleet, name)) for name in devices),
        *(Member(worker(fleet, pool, name)) for pool, name in workers),
        *(Member(joiner(fleet, name), password) for name, password in invitations),
    )
