"""A courier with a real outbox and a broker made of a list."""

from collections import Counter
from uuid import UUID

from agent.shell.courier import Courier
from agent.store.outbox import Outbox, Parcel
from broker.wire.errors import BrokerUnavailableError
from broker.wire.session import Message
from broker.wire.topics import DeviceId, FleetId, PoolId, Route
from tests.unit.agent.device import Clock

RESEND_S = 2.0
HERE = Route(FleetId("home"), PoolId("main"), DeviceId("board-1"))
WORKER = "fl/v1/home/pool/main/worker/w-1"
OTHER_WORKER = "fl/v1/home/pool/main/worker/w-2"
LISTENS = b'{"online": true}'
SUCCESS, NOBODY, NOT_AUTHORIZED, QUOTA = 0x00, 0x10, 0x87, 0x97


class Broker:
    """Takes publishes, or is offline."""

    def __init__(self) -> None:
        self.taken: list[Message] = []
        self.offline = False

    def publish(self, message: Message) -> int:
        """Give each publish its own number.

        Raises:
            BrokerUnavailableError: offline.
        """
        if self.offline:
            raise BrokerUnavailableError("offline")
        self.taken.append(message)
        return len(self.taken)

    @property
    def tickets(self) -> list[int]:
        return [UUID(bytes=message.correlation).int for message in self.taken]


class Post:
    """A courier and what it works with."""

    def __init__(self, outbox: Outbox) -> None:
        self.outbox, self.broker, self.clock = outbox, Broker(), Clock(1000.0)
        self.counters: Counter[str] = Counter()
        self.courier = Courier(
            route=HERE,
            outbox=outbox,
            publish=self.broker.publish,
            now_s=self.clock,
            resend_s=RESEND_S,
            counters=self.counters,
        )

    def put(
        self, number: int, *, due_s: float = 0.0, deadline_s: float = 1e9, rank: int = 1
    ) -> Parcel:
        """Queue a parcel."""
        parcel = Parcel(UUID(int=number), b"sealed", 1, deadline_s)
        self.outbox.put(parcel, memo=b"m", due_s=due_s, rank=rank)
        return parcel

    def pause_s(self, ticket: int) -> float:
        """How long a parcel rests before it is due again."""
        return self.outbox._times.until_s(UUID(int=ticket).bytes) - self.clock.now_s
