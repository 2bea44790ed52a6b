"""What carries parcels to the broker, with a real outbox and a broker made of a list."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from agent.shell.courier import Courier
from agent.store.outbox import Outbox, Parcel
from broker.wire.errors import BrokerUnavailableError
from broker.wire.session import IN_FLIGHT, Acknowledged, Message
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

    def put(self, number: int, *, due_s: float = 0.0, deadline_s: float = 1e9) -> Parcel:
        """Queue a parcel."""
        parcel = Parcel(UUID(int=number), b"sealed", 1, deadline_s)
        self.outbox.put(parcel, memo=b"m", due_s=due_s)
        return parcel

    def pause_s(self, ticket: int) -> float:
        """How long a parcel rests before it is due again."""
        query = "SELECT due_s FROM outbox WHERE ticket = ?"
        (due_s,) = self.outbox._db.execute(query, (UUID(int=ticket).bytes,)).fetchone()
        return float(due_s) - self.clock.now_s


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    outbox = Outbox(tmp_path / "outbox.db")
    yield Post(outbox)
    outbox.close()


def test_a_parcel_goes_out_with_its_ticket_its_way_back_and_its_end(post: Post) -> None:
    post.courier.online(100)

    post.courier.send(post.put(7, due_s=1002.0, deadline_s=1060.0))

    expected = Message(
        HERE.ask,
        b"sealed",
        correlation=UUID(int=7).bytes,
        answer_topic=HERE.answer,
        expiry_s=60,
    )
    assert post.broker.taken == [expected]
    assert post.pause_s(7) == RESEND_S


def test_a_parcel_about_to_expire_still_lives_for_a_second(post: Post) -> None:
    post.courier.online(100)

    post.courier.send(post.put(7, deadline_s=1000.2))

    assert [message.expiry_s for message in post.broker.taken] == [1]


def test_nothing_is_published_offline_and_everything_once_online(post: Post) -> None:
    for number in (1, 2, 3):
        post.courier.send(post.put(number, due_s=1002.0))
    post.courier.send_due()
    assert post.broker.taken == []

    post.courier.online(100)
    post.courier.send_due()

    assert sorted(post.broker.tickets) == [1, 2, 3]
    assert post.counters["resends"] == 0


def test_a_broker_that_goes_in_between_leaves_the_parcel_due(post: Post) -> None:
    post.courier.online(100)
    post.broker.offline = True
    post.courier.send(post.put(1, due_s=1002.0))
    post.courier.send_due()

    post.broker.offline = False
    post.courier.send_due()

    assert post.broker.tickets == [1]


def test_no_more_are_under_way_than_the_broker_takes(post: Post) -> None:
    for number in range(1, 6):
        post.put(number)
    post.courier.online(2)

    post.courier.send_due()

    assert len(post.broker.taken) == 2


def test_no_more_are_under_way_than_the_window(post: Post) -> None:
    for number in range(1, IN_FLIGHT + 10):
        post.put(number)
    post.courier.online(65_535)

    post.courier.send_due()
    post.courier.send(post.put(999))

    assert len(post.broker.taken) == IN_FLIGHT


def test_each_acknowledgement_lets_one_more_go(post: Post) -> None:
    for number in range(1, 6):
        post.put(number)
    post.courier.online(2)
    post.courier.send_due()

    for mid in (1, 2, 3):
        post.courier.acknowledged(Acknowledged(mid, SUCCESS))

    assert sorted(post.broker.tickets) == [1, 2, 3, 4, 5]


def test_an_acknowledgement_ends_nothing(post: Post) -> None:
    post.put(1)
    post.courier.online(100)
    post.courier.send_due()

    post.courier.acknowledged(Acknowledged(1, SUCCESS))

    assert len(post.outbox) == 1


def test_an_acknowledgement_of_something_else_is_passed_over(post: Post) -> None:
    post.courier.online(100)

    post.courier.acknowledged(Acknowledged(77, SUCCESS))

    assert post.counters == Counter()


@pytest.mark.parametrize("code", [NOT_AUTHORIZED, QUOTA])
def test_a_refused_publish_is_counted_told_and_sent_again(post: Post, code: int) -> None:
    post.put(1)
    post.courier.online(100)
    post.courier.heard_worker(WORKER, LISTENS)
    post.courier.send_due()

    post.courier.acknowledged(Acknowledged(1, code))

    assert post.counters["refused_by_broker"] == 1
    assert post.courier.reason == f"the broker refused the question, code {code:#x}"
    post.clock.now_s += 60.0
    post.courier.send_due()
    assert post.broker.tickets == [1, 1]
    assert post.counters["resends"] == 1


def test_a_publish_that_is_taken_again_ends_the_trouble(post: Post) -> None:
    post.put(1)
    post.put(2)
    post.courier.online(100)
    post.courier.heard_worker(WORKER, LISTENS)
    post.courier.send_due()
    post.courier.acknowledged(Acknowledged(1, NOT_AUTHORIZED))

    post.courier.acknowledged(Acknowledged(2, SUCCESS))

    assert post.courier.reason == "no answer in time"


def test_a_publish_that_nobody_heard_is_counted_and_sent_again(post: Post) -> None:
    post.put(1)
    post.courier.online(100)
    post.courier.send_due()

    post.courier.acknowledged(Acknowledged(1, NOBODY))

    assert post.counters["nobody_listened"] == 1
    assert len(post.outbox) == 1


def test_the_pauses_grow_are_jittered_and_stay_under_half_a_minute(post: Post) -> None:
    post.put(1)
    post.courier.online(100)
    pauses: list[float] = []
    for mid in range(1, 12):
        post.courier.send_due()
        post.courier.acknowledged(Acknowledged(mid, SUCCESS))
        pauses.append(post.pause_s(1))
        post.clock.now_s += pauses[-1]

    longest = [min(RESEND_S * 2**attempts, 30.0) for attempts in range(1, 12)]
    assert all(most / 2 <= pause <= most for pause, most in zip(pauses, longest, strict=True))
    assert len(set(pauses)) == len(pauses)
    assert len(post.broker.taken) == 11


def test_a_question_that_waits_for_a_day_is_still_sent(post: Post) -> None:
    post.put(1)
    post.outbox._db.execute("UPDATE outbox SET attempts = 5000")
    post.courier.online(100)

    post.courier.send_due()

    assert post.broker.tickets == [1]
    assert 15.0 <= post.pause_s(1) <= 30.0


def test_the_first_worker_that_comes_makes_all_that_waits_due(post: Post) -> None:
    post.put(1, due_s=1030.0)
    post.courier.online(100)
    post.courier.heard_worker(WORKER, LISTENS)

    post.courier.send_due()

    assert post.broker.tickets == [1]


def test_one_more_worker_makes_no_haste(post: Post) -> None:
    post.courier.online(100)
    post.courier.heard_worker(WORKER, LISTENS)
    post.put(1, due_s=1030.0)

    post.courier.heard_worker(OTHER_WORKER, LISTENS)
    post.courier.send_due()

    assert post.broker.tickets == []


PRESENCES = {
    "gone, as its will says": b"",
    "offline": b'{"online": false}',
    "no JSON": b"online",
    "no object": b"[true]",
    "a number": b"1",
    "without the key": b"{}",
    "another type": b'{"online": "true"}',
    "not UTF-8": b"\xff\xfe",
    "nested without end": b"[" * 100_000,
}


@pytest.mark.parametrize("presence", PRESENCES.values(), ids=PRESENCES)
def test_a_presence_that_does_not_say_online_is_nobody(post: Post, presence: bytes) -> None:
    post.courier.online(100)
    post.courier.heard_worker(WORKER, LISTENS)

    post.courier.heard_worker(WORKER, presence)

    assert post.courier.reason == "no worker is listening"


def test_the_reason_follows_what_is_wrong(post: Post) -> None:
    reasons = [post.courier.reason]
    post.courier.offline("the broker refused us: Bad user name or password")
    reasons.append(post.courier.reason)
    post.courier.online(100)
    reasons.append(post.courier.reason)
    post.courier.heard_worker(WORKER, LISTENS)
    reasons.append(post.courier.reason)
    post.courier.offline("the connection ended")
    reasons.append(post.courier.reason)
    post.courier.online(100)  # the retained presences come again
    reasons.append(post.courier.reason)

    assert reasons == [
        "the broker cannot be reached",
        "the broker refused us: Bad user name or password",
        "no worker is listening",
        "no answer in time",
        "the connection ended",
        "no worker is listening",
    ]
    assert post.counters == Counter(broker_failures=1, broker_losses=1)


def test_what_was_under_way_when_the_broker_went_leaves_room_for_the_next(post: Post) -> None:
    for number in (1, 2, 3):
        post.put(number)
    post.courier.online(2)
    post.courier.send_due()

    post.courier.offline("gone")
    post.courier.acknowledged(Acknowledged(1, SUCCESS))  # came too late
    post.courier.online(2)
    post.courier.send_due()

    assert post.courier.reason == "no worker is listening"
    assert len(post.broker.taken) == 3  # the third; the first two rest
