"""The topic tree. Topics are built and parsed here and nowhere else.

    fl/v1/<fleet>/ask/<pool>/<device>       device -> pool     sealed question
    fl/v1/<fleet>/dev/<device>/answer       worker -> device   sealed reply
    fl/v1/<fleet>/dev/<device>/state        device             retained presence, no content
    fl/v1/<fleet>/dev/<device>/renew        device -> operator retained request for new keys
    fl/v1/<fleet>/dev/<device>/renewed      operator -> device retained answer, signed by the root
    fl/v1/<fleet>/dev/<device>/update       device -> operator retained, signed: how its update goes
    fl/v1/<fleet>/dev/<device>/wants        device -> operator blocks that the broker does not hold
    fl/v1/<fleet>/pool/<pool>/keys          operator           retained signed key bundle
    fl/v1/<fleet>/pool/<pool>/worker/<id>   worker             retained presence, capacity, load
    fl/v1/<fleet>/join/<id>/ask             board -> operator  sealed request to join
    fl/v1/<fleet>/join/<id>/answer          operator -> board  sealed answer
    fl/v1/<fleet>/release/meta/<name>/<n>   operator           retained TUF metadata, n-th part
    fl/v1/<fleet>/release/block/<sha256>    operator           content-addressed block

At most 7 slashes, as some hosted brokers demand.
"""

import re
from dataclasses import dataclass
from typing import NewType, Self

from broker.wire.errors import TopicError

FleetId = NewType("FleetId", str)
PoolId = NewType("PoolId", str)
DeviceId = NewType("DeviceId", str)
WorkerId = NewType("WorkerId", str)

ROOT = "fl/v1"
NAME_RULE = "1 to 64 of a-z, 0-9 and '-', starting with a letter or digit"
_NAME = r"[a-z0-9][a-z0-9-]{0,63}"
_ASK = re.compile(rf"{ROOT}/({_NAME})/ask/({_NAME})/({_NAME})")
_STATE = re.compile(rf"{ROOT}/({_NAME})/dev/({_NAME})/state")
_RENEWAL = re.compile(rf"{ROOT}/{_NAME}/dev/({_NAME})/renew")
_PRESENCE = re.compile(rf"{ROOT}/({_NAME})/pool/({_NAME})/worker/({_NAME})")
_UPDATE = re.compile(rf"{ROOT}/{_NAME}/dev/({_NAME})/update")
_WANTS = re.compile(rf"{ROOT}/{_NAME}/dev/({_NAME})/wants")
_METADATA = re.compile(
    rf"{ROOT}/{_NAME}/release/meta/([a-z0-9][a-z0-9._-]{{0,127}})/([0-9]{{1,3}})"
)
_BLOCK = re.compile(rf"{ROOT}/{_NAME}/release/block/([0-9a-f]{{64}})")
_JOIN = re.compile(rf"{ROOT}/{_NAME}/join/([0-9a-f]{{32}})/ask")


def is_name(text: str) -> bool:
    """Whether `text` may name a fleet, pool, device or worker: see NAME_RULE."""
    return re.fullmatch(_NAME, text) is not None


@dataclass(frozen=True, slots=True)
class Route:
    """Where a device's questions to one pool travel, and where their replies come back.

    Both topics are part of what the envelope authenticates, so the broker's own idea of the
    response topic is never trusted.
    """

    fleet: FleetId
    pool: PoolId
    device: DeviceId

    @property
    def ask(self) -> str:
        """Topic of the sealed question."""
        return f"{ROOT}/{self.fleet}/ask/{self.pool}/{self.device}"

    @property
    def answer(self) -> str:
        """Topic of the sealed reply."""
        return answer(self.fleet, self.device)

    @classmethod
    def parse(cls, ask: str) -> Self:
        """Read the topic of a question.

        Raises:
            TopicError: `ask` is not in the tree.
        """
        match = _ASK.fullmatch(ask)
        if match is None:
            raise TopicError("not a question's topic")
        fleet, pool, device = match.groups()
        return cls(FleetId(fleet), PoolId(pool), DeviceId(device))


def answer(fleet: FleetId, device: DeviceId) -> str:
    """Topic on which a device receives its replies: the MQTT 5 response topic."""
    return f"{ROOT}/{fleet}/dev/{device}/answer"


def shared_questions(fleet: FleetId, pool: PoolId) -> str:
    """Filter that shares a pool's questions among its workers (MQTT 5.0, section 4.8.2)."""
    return f"$share/{pool}/{ROOT}/{fleet}/ask/{pool}/+"


def device_state(fleet: FleetId, device: DeviceId) -> str:
    """Topic of a device's retained presence."""
    return f"{ROOT}/{fleet}/dev/{device}/state"


def parse_device_state(topic: str) -> tuple[FleetId, DeviceId] | None:
    """Read the topic of a device's presence; None: `topic` is another one."""
    match = _STATE.fullmatch(topic)
    return None if match is None else (FleetId(match[1]), DeviceId(match[2]))


def renewal_request(fleet: FleetId, device: DeviceId) -> str:
    """Topic of a device's retained request for new keys."""
    return f"{ROOT}/{fleet}/dev/{device}/renew"


def renewal_answer(fleet: FleetId, device: DeviceId) -> str:
    """Topic of the operator's retained answer to it."""
    return f"{ROOT}/{fleet}/dev/{device}/renewed"


def parse_renewal_request(topic: str) -> DeviceId | None:
    """Read whose request for new keys it is; None: `topic` is another one."""
    match = _RENEWAL.fullmatch(topic)
    return None if match is None else DeviceId(match[1])


def pool_keys(fleet: FleetId, pool: PoolId) -> str:
    """Topic of a pool's retained, signed key bundle."""
    return f"{ROOT}/{fleet}/pool/{pool}/keys"


def worker_presence(fleet: FleetId, pool: PoolId, worker: WorkerId) -> str:
    """Topic of a worker's retained presence."""
    return f"{ROOT}/{fleet}/pool/{pool}/worker/{worker}"


def every_worker(fleet: FleetId, pool: PoolId) -> str:
    """Filter for the presence of all workers of a pool."""
    return f"{ROOT}/{fleet}/pool/{pool}/worker/+"


def join_request(fleet: FleetId, invitation: str) -> str:
    """Topic on which a board that has a join code asks to be let in."""
    return f"{ROOT}/{fleet}/join/{invitation}/ask"


def join_answer(fleet: FleetId, invitation: str) -> str:
    """Topic on which that board receives the operator's answer."""
    return f"{ROOT}/{fleet}/join/{invitation}/answer"


def every_join_request(fleet: FleetId) -> str:
    """Filter for the requests to join of all boards."""
    return f"{ROOT}/{fleet}/join/+/ask"


def parse_join_request(topic: str) -> str | None:
    """Read which invitation a request to join is for; None: `topic` is another one."""
    match = _JOIN.fullmatch(topic)
    return None if match is None else match[1]


def device_update(fleet: FleetId, device: DeviceId) -> str:
    """Topic on which a device says how its update goes; retained, signed with its key."""
    return f"{ROOT}/{fleet}/dev/{device}/update"


def parse_device_update(topic: str) -> DeviceId | None:
    """Read whose update it is about; None: `topic` is another one."""
    match = _UPDATE.fullmatch(topic)
    return None if match is None else DeviceId(match[1])


def device_wants(fleet: FleetId, device: DeviceId) -> str:
    """Topic on which a device asks for blocks that the broker does not hold."""
    return f"{ROOT}/{fleet}/dev/{device}/wants"


def parse_device_wants(topic: str) -> DeviceId | None:
    """Read who asks for blocks; None: `topic` is another one."""
    match = _WANTS.fullmatch(topic)
    return None if match is None else DeviceId(match[1])


def release_metadata(fleet: FleetId, name: str, part: int | str = 0) -> str:
    """Topic of one part of a file of TUF metadata, such as `timestamp.json` or `2.root.json`."""
    return f"{ROOT}/{fleet}/release/meta/{name}/{part}"


def parse_release_metadata(topic: str) -> tuple[str, int] | None:
    """Read which part of which file; None: `topic` is another one."""
    match = _METADATA.fullmatch(topic)
    return None if match is None else (match[1], int(match[2]))


def release_block(fleet: FleetId, digest: str) -> str:
    """Topic of a block, by its SHA-256."""
    return f"{ROOT}/{fleet}/release/block/{digest}"


def parse_release_block(topic: str) -> str | None:
    """Read which block; None: `topic` is another one."""
    match = _BLOCK.fullmatch(topic)
    return None if match is None else match[1]


def parse_worker_presence(topic: str) -> tuple[FleetId, PoolId, WorkerId] | None:
    """Read whose presence it is; None: `topic` is another one."""
    match = _PRESENCE.fullmatch(topic)
    return match and (FleetId(match[1]), PoolId(match[2]), WorkerId(match[3]))


def is_worker_of(route: Route, topic: str) -> bool:
    """Whether `topic` is that of a worker's presence, in the pool that `route` leads to."""
    match = _PRESENCE.fullmatch(topic)
    return match is not None and match.groups()[:2] == (route.fleet, route.pool)
