"""Replies and inputs that the device refuses, and what is left after them."""

import pytest

from agent.core.errors import EmptyInputError
from agent.stages import Origin
from agent.store.errors import StoreError, UnknownTicketError
from broker.wire.envelope import ReplyKey, seal_reply
from broker.wire.errors import EnvelopeError, MessageError
from broker.wire.messages import Answer, Question, dump_question, dump_reply
from broker.wire.payload import Text
from tests.asker import DOMAIN, Fleet
from tests.simulator import CloudSimulator, duplicate
from tests.unit.agent.device import (
    FIRST,
    PATIENCE_S,
    SECOND,
    Clock,
    Device,
    Shelf,
    make_task,
    opened,
)
from tests.unit.agent.exchange import QUESTION, expected


class TestRefusedHere:
    def test_the_second_copy_of_a_reply_is_refused(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        cloud.way_back = duplicate

        refused = device.carry(cloud, device.escalate(QUESTION))

        assert refused == [UnknownTicketError]
        assert device.delivered == [expected(Origin.CLOUD, QUESTION)]

    def test_a_reply_that_comes_after_the_deadline_is_refused(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        cloud.way_back = cloud.hold
        device.carry(cloud, device.escalate(QUESTION))
        [late] = cloud.release()
        device.clock.now_s += PATIENCE_S
        device.pipeline.expire("no answer in time")

        with pytest.raises(UnknownTicketError):
            device.pipeline.finish(FIRST, late)

        [delivery] = device.delivered
        assert delivery.origin is Origin.DEGRADED

    def test_a_reply_to_nothing_we_asked_is_refused(self, device: Device) -> None:
        with pytest.raises(UnknownTicketError):
            device.pipeline.finish(FIRST, b"")

    def test_a_reply_forged_without_the_question_is_refused_and_the_true_one_is_taken(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        parcel = device.escalate(QUESTION)
        bound = device.pipeline.post.memo(FIRST).reply_key.bound
        forged = seal_reply(dump_reply(Answer("lies", "m", 1.0)), ReplyKey(b"?" * 32, bound))

        with pytest.raises(EnvelopeError):
            device.pipeline.finish(FIRST, forged)

        assert device.delivered == []
        assert device.carry(cloud, parcel) == []
        assert device.delivered == [expected(Origin.CLOUD, QUESTION)]

    def test_swapped_replies_are_refused_and_the_true_ones_are_taken(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        cloud.way_back = cloud.hold
        parcels = [device.escalate("lights on"), device.escalate("lights off", SECOND)]
        device.carry(cloud, *parcels)
        of_second, of_first = cloud.release()

        for ticket, swapped in ((FIRST, of_second), (SECOND, of_first)):
            with pytest.raises(EnvelopeError):
                device.pipeline.finish(ticket, swapped)

        assert device.delivered == []
        device.pipeline.finish(FIRST, of_first)
        device.pipeline.finish(SECOND, of_second)
        answers = {delivery.ticket: delivery.answer for delivery in device.delivered}
        assert answers == {FIRST: "lights on", SECOND: "lights off"}

    def test_another_devices_reply_to_the_same_ticket_is_refused(
        self, device: Device, cloud: CloudSimulator, fleet: Fleet
    ) -> None:
        other = fleet.enroll("board-2").credentials
        shelf = Shelf()
        file = device.file.with_name("other.db")
        with opened(other, file, Clock(), shelf, make_task(shelf)) as second:
            cloud.way_back = cloud.hold
            second.carry(cloud, second.escalate("hers"))
        [hers] = cloud.release()
        parcel = device.escalate(QUESTION)

        with pytest.raises(EnvelopeError):
            device.pipeline.finish(FIRST, hers)

        cloud.way_back = lambda reply: [reply]
        device.carry(cloud, parcel)
        assert device.delivered == [expected(Origin.CLOUD, QUESTION)]

    def test_a_sealed_reply_that_is_no_message_is_refused(self, device: Device) -> None:
        device.escalate(QUESTION)
        key = device.pipeline.post.memo(FIRST).reply_key
        sealed = seal_reply(dump_question(Question(DOMAIN, Text("?"))), key)

        with pytest.raises(MessageError):
            device.pipeline.finish(FIRST, sealed)

        assert device.delivered == []

    def test_a_row_altered_on_the_card_is_told_and_delivers_nothing(self, device: Device) -> None:
        device.escalate(QUESTION)
        device.outbox._db.execute("UPDATE outbox SET memo = x'00'")

        with pytest.raises(StoreError):
            device.pipeline.finish(FIRST, b"")

        assert device.delivered == []

    def test_an_input_that_cannot_be_used_is_told_and_leaves_no_row(self, device: Device) -> None:
        with pytest.raises(EmptyInputError):
            device.ask(b" \n ")

        assert len(device.outbox) == 0
        assert device.delivered == []
