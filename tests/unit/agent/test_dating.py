"""A board that cannot tell the time by itself asks a worker."""

import time
from uuid import UUID

import pytest

from broker.wire.envelope import ReplyKey, seal_reply
from broker.wire.errors import WireError
from broker.wire.messages import Busy, Refused, Reply, WrongDate, dump_reply
from cloud_worker.letters import Reason
from tests.asker import Fleet
from tests.simulator import CloudSimulator
from tests.unit.agent.device import Device

DAY_S = 86_400.0
SECOND_S = 60.0


def learn(device: Device, cloud: CloudSimulator) -> UUID:
    """Ask a worker for the date, and take what it says."""
    post = device.pipeline.post
    asked = post.ask_date()
    ticket = UUID(bytes=asked.correlation)
    [reply] = cloud.ask(post.route, asked.payload)
    assert post.learn_date(ticket, reply)
    return ticket


@pytest.mark.parametrize("off_days", [-20_000.0, -60.0, 0.0, 400.0])
def test_whatever_the_clock_says_a_worker_tells_the_date(
    device: Device, cloud: CloudSimulator, off_days: float
) -> None:
    device.clock.now_s += off_days * DAY_S

    learn(device, cloud)

    told_s = device.clock.now_s + device.pipeline.post.offset_s
    assert told_s == pytest.approx(time.time(), abs=SECOND_S)
    assert cloud.reasons == [Reason.DATE]


def test_a_pool_whose_keys_have_all_changed_tells_the_date_too(
    device: Device, cloud: CloudSimulator, fleet: Fleet
) -> None:
    device.clock.now_s += 400 * DAY_S
    cloud.now_s = lambda: time.time() + 2.5 * DAY_S  # the first of its keys is gone
    cloud.worker.keep_house(now_s=cloud.now_s())

    learn(device, cloud)

    told_s = device.clock.now_s + device.pipeline.post.offset_s
    assert told_s == pytest.approx(cloud.now_s(), abs=SECOND_S)
    assert fleet.folder.exists()


def test_a_date_is_learnt_once(device: Device, cloud: CloudSimulator) -> None:
    post = device.pipeline.post
    asked = post.ask_date()
    ticket = UUID(bytes=asked.correlation)
    [reply] = cloud.ask(post.route, asked.payload)

    assert [post.learn_date(ticket, reply) for _ in range(2)] == [True, False]


def test_a_reply_to_an_earlier_question_for_the_date_counts(
    device: Device, cloud: CloudSimulator
) -> None:
    post = device.pipeline.post
    first = post.ask_date()
    post.ask_date()
    [reply] = cloud.ask(post.route, first.payload)

    assert post.learn_date(UUID(bytes=first.correlation), reply)


@pytest.mark.parametrize("said", [Busy(1.0), Refused("no"), WrongDate(1)])
def test_a_worker_that_says_something_else_is_not_believed(device: Device, said: Reply) -> None:
    post = device.pipeline.post
    ticket = UUID(bytes=post.ask_date().correlation)
    key: ReplyKey = post.dating._waiting[ticket]

    with pytest.raises(WireError):
        post.learn_date(ticket, seal_reply(dump_reply(said), key))

    assert post.offset_s == 0.0


def test_nobody_but_the_pool_can_tell_the_date(device: Device, cloud: CloudSimulator) -> None:
    post = device.pipeline.post
    first, second = post.ask_date(), post.ask_date()
    [reply] = cloud.ask(post.route, first.payload)

    for forged in (reply, reply[:-1] + bytes([reply[-1] ^ 1]), b"", bytes(84)):
        with pytest.raises(WireError):
            post.learn_date(UUID(bytes=second.correlation), forged)

    assert post.offset_s == 0.0


def test_what_is_no_answer_to_a_question_for_the_date_is_left_alone(device: Device) -> None:
    assert not device.pipeline.post.learn_date(UUID(int=7), b"anything")
