"""The agent is killed between two steps: nothing is lost, nothing is asked or answered anew."""

from dataclasses import replace

import pytest

from agent.stages import Delivery, Origin
from agent.store.errors import UnknownTicketError
from broker.wire.envelope import seal_reply
from broker.wire.messages import Answer, dump_reply
from tests.simulator import CloudSimulator
from tests.unit.agent.device import FIRST, PATIENCE_S, Device, sure
from tests.unit.agent.exchange import QUESTION, expected


class TestCrash:
    def test_a_crash_between_the_answer_and_its_delivery_repeats_that_answer(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        parcel = device.escalate(QUESTION)
        deliver = Interrupted(device)
        device.with_task(replace(device.task, deliver=deliver))

        with pytest.raises(KeyboardInterrupt):
            device.carry(cloud, parcel)

        with device.crashed() as revived:
            revived.pipeline.redeliver()
            reply = seal_reply(dump_reply(Answer("other", "m", 1.0)), deliver.key)
            with pytest.raises(UnknownTicketError):
                revived.pipeline.finish(FIRST, reply)
            revived.clock.now_s += 2 * PATIENCE_S
            assert revived.pipeline.expire("too late") == 0
            assert revived.delivered == deliver.delivered
            assert len(revived.outbox) == 0

    def test_a_crash_before_a_delivery_is_put_away_repeats_that_delivery(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        device.carry(cloud, device.escalate(QUESTION))

        with device.crashed() as revived:
            revived.pipeline.redeliver()

            assert revived.delivered == device.delivered == [expected(Origin.CLOUD, QUESTION)]

    def test_a_crash_after_the_question_was_stored_asks_it_again_with_the_same_bytes(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        parcel = device.escalate(QUESTION)

        with device.crashed() as revived:
            revived.clock.now_s += 10.0
            [again] = revived.outbox.due(revived.clock.now_s)
            revived.carry(cloud, again)

            assert replace(again, attempts=parcel.attempts) == parcel
            assert [delivery.answer for delivery in revived.delivered] == [QUESTION]

    def test_an_input_that_comes_again_while_its_question_waits_is_no_second_question(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        parcel = device.escalate(QUESTION)

        assert device.ask(QUESTION) is None

        assert device.delivered == []
        device.carry(cloud, parcel)
        assert device.delivered == [expected(Origin.CLOUD, QUESTION)]

    def test_an_input_that_comes_again_after_a_change_of_mind_is_no_second_answer(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        parcel = device.escalate(QUESTION)
        device.with_task(replace(device.task, model=sure()))

        device.ask(QUESTION)
        device.carry(cloud, parcel)

        assert device.delivered == [expected(Origin.CLOUD, QUESTION)]

    def test_an_input_that_comes_again_after_its_answer_is_no_second_question(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        device.carry(cloud, device.escalate(QUESTION))
        device.outbox.tidy()

        with device.crashed() as revived:
            assert revived.ask(QUESTION) is None
            revived.clock.now_s += 2 * PATIENCE_S
            revived.pipeline.expire("too late")

            assert revived.delivered == []
            assert len(revived.outbox) == 0


class Interrupted:
    """An output during whose work the agent is killed."""

    def __init__(self, device: Device) -> None:
        self.delivered: list[Delivery] = []
        self.key = device.pipeline.post.memo(FIRST).reply_key

    def __call__(self, delivery: Delivery) -> None:
        self.delivered.append(delivery)
        raise KeyboardInterrupt
