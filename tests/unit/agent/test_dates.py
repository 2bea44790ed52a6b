"""Clocks that are wrong: the device's is set right, a broken worker's is not believed."""

import time

import pytest

from agent.stages import Origin
from broker.wire.envelope import seal_reply
from broker.wire.errors import EnvelopeError
from broker.wire.messages import Answer, Busy, Refused, Reply, WrongDate, dump_reply
from cloud_worker.letters import Reason
from tests.simulator import CloudSimulator
from tests.unit.agent.device import FIRST, SECOND, Device
from tests.unit.agent.exchange import QUESTION, expected, told


class TestWrongDate:
    @pytest.mark.parametrize("off_s", [-5 * 3600.0, 3 * 3600.0])
    def test_a_clock_that_is_hours_off_is_learnt_from_the_worker(
        self, device: Device, cloud: CloudSimulator, off_s: float
    ) -> None:
        device.clock.now_s += off_s
        parcel = device.escalate(QUESTION)

        device.carry(cloud, parcel)
        assert device.delivered == []
        refused = device.carry_due(cloud)

        assert refused == []
        assert cloud.reasons == [Reason.DATE, Reason.ANSWERED]
        assert device.delivered == [expected(Origin.CLOUD, QUESTION)]

    def test_the_next_question_has_the_right_date_at_once_also_after_a_restart(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        device.clock.now_s -= 5 * 3600
        device.carry(cloud, device.escalate(QUESTION))
        device.carry_due(cloud)

        with device.crashed() as revived:
            revived.carry(cloud, revived.escalate("again", SECOND))

            assert [delivery.answer for delivery in revived.delivered] == ["again"]
        assert cloud.reasons == [Reason.DATE, Reason.ANSWERED, Reason.ANSWERED]

    def test_the_new_seal_is_told_the_same_deadline(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        device.clock.now_s -= 5 * 3600
        parcel = device.escalate(QUESTION)

        device.carry(cloud, parcel)

        [again] = device.outbox.due(device.clock.now_s)
        assert (again.ticket, again.deadline_s) == (parcel.ticket, parcel.deadline_s)
        assert again.envelope != parcel.envelope

    def test_an_answer_to_the_first_seal_counts_once(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        device.clock.now_s -= 5 * 3600
        parcel = device.escalate(QUESTION)
        first_key = device.pipeline.post.memo(FIRST).reply_key
        device.carry(cloud, parcel)
        answer = Answer("x", "echo 1", 1)

        device.pipeline.finish(FIRST, seal_reply(dump_reply(answer), first_key))
        refused = device.carry_due(cloud)

        assert device.delivered == [expected(Origin.CLOUD, "x")]
        assert refused == []

    @pytest.mark.parametrize("said", [WrongDate(2**31), Refused("no"), Busy(9.0)])
    def test_nothing_else_that_is_said_of_the_first_seal_counts(
        self, device: Device, cloud: CloudSimulator, said: Reply
    ) -> None:
        device.clock.now_s -= 5 * 3600
        parcel = device.escalate(QUESTION)
        first_key = device.pipeline.post.memo(FIRST).reply_key
        device.carry(cloud, parcel)

        with pytest.raises(EnvelopeError):
            device.pipeline.finish(FIRST, seal_reply(dump_reply(said), first_key))

        assert len(device.outbox.due(device.clock.now_s)) == 1

    def test_a_worker_whose_own_clock_is_broken_stops_one_question_and_not_the_next(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        device.escalate(QUESTION)

        told(device, WrongDate(1_000_000))  # January 1970

        flag = "the worker refuses this device's clock"
        assert device.delivered == [expected(Origin.DEGRADED, "draft", flag)]
        device.carry(cloud, device.escalate("again", SECOND))
        assert device.delivered[1].origin is Origin.CLOUD

    def test_a_clock_that_is_refused_twice_ends_in_the_draft(self, device: Device) -> None:
        device.escalate(QUESTION)
        for later_s in (1000, 2000):
            told(device, WrongDate(int(device.clock.now_s) + later_s))

        flag = "the worker refuses this device's clock"
        assert device.delivered == [expected(Origin.DEGRADED, "draft", flag)]
        assert len(device.outbox) == 0

    def test_a_board_that_wakes_up_in_1970_asks_and_learns_the_time(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        device.clock.now_s = 0.0
        cloud.now_s = lambda: time.time() + 86_400  # a day after its keys were made

        device.carry(cloud, device.escalate(QUESTION))
        device.carry_due(cloud)

        assert [delivery.origin for delivery in device.delivered] == [Origin.CLOUD]

    def test_a_clock_after_every_keys_life_is_answered_here_and_flagged(
        self, device: Device
    ) -> None:
        device.clock.now_s = 1e11

        parcel = device.ask(QUESTION)

        assert parcel is None
        [delivery] = device.delivered
        assert delivery.origin is Origin.DEGRADED
        assert delivery.flags[0].startswith("not asked: no key of pool main is valid now")


def test_a_told_clock_at_which_the_keys_end_keeps_no_question_from_being_asked(
    device: Device, cloud: CloudSimulator
) -> None:
    device.escalate(QUESTION)
    told(device, WrongDate(device.pipeline.post.keyring.bundle.ends_s - 10))

    device.clock.now_s += 20.0
    device.carry(cloud, device.escalate("again", SECOND))

    assert cloud.reasons == [Reason.ANSWERED]
    assert [delivery.answer for delivery in device.delivered] == ["again"]
