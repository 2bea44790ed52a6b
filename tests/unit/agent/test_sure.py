"""A sure answer: nobody is asked, whatever the output does."""

from dataclasses import replace

import pytest

from agent.models.scripted import ScriptedModel
from agent.stages import Origin
from agent.store.errors import OutboxFullError
from broker.wire.payload import Payload, Text
from tests.unit.agent.device import Device, sure
from tests.unit.agent.exchange import MASKED, QUESTION, expected


class TestSure:
    def test_a_sure_answer_is_delivered_at_once_and_asks_nobody(self, device: Device) -> None:
        device.with_task(replace(device.task, model=sure()))

        parcel = device.ask("lights please")

        assert parcel is None
        assert len(device.outbox) == 0
        assert device.delivered == [
            replace(expected(Origin.DEVICE, "lights_on"), confidence=0.99),
        ]

    def test_the_local_answer_gets_its_personal_data_back(self, device: Device) -> None:
        echo = ScriptedModel(lambda payload: str(getattr(payload, "text", "")), chance=1.0)
        device.with_task(replace(device.task, model=echo))

        device.ask(QUESTION)

        assert [delivery.answer for delivery in device.delivered] == [QUESTION]

    def test_the_local_model_reads_no_personal_data(self, device: Device) -> None:
        read: list[Payload] = []

        def read_it(payload: Payload) -> str:
            read.append(payload)
            return "draft"

        model = ScriptedModel(read_it, chance=1.0)
        device.with_task(replace(device.task, model=model))

        device.ask(QUESTION)

        assert read == [Text(MASKED)]

    def test_an_answer_that_no_output_takes_is_kept_and_delivered_later(
        self, device: Device
    ) -> None:
        device.with_task(replace(device.task, model=sure()))
        device.shelf.closed = True
        device.ask("lights please")

        device.shelf.closed = False
        device.clock.now_s += 10
        device.pipeline.redeliver()

        assert [delivery.answer for delivery in device.delivered] == ["lights_on"]
        assert len(device.outbox) == 0

    def test_a_kept_answer_outlives_the_agent(self, device: Device) -> None:
        device.with_task(replace(device.task, model=sure()))
        device.shelf.closed = True
        device.ask("lights please")
        device.clock.now_s += 10

        with device.crashed() as revived:
            revived.pipeline.redeliver()

            assert [delivery.answer for delivery in revived.delivered] == ["lights_on"]
            assert len(revived.outbox) == 0

    def test_an_answer_that_can_neither_be_delivered_nor_kept_is_not_taken(
        self, device: Device
    ) -> None:
        device.with_task(replace(device.task, model=sure()))
        device.shelf.closed = True
        device.outbox._db.execute("PRAGMA query_only = ON")  # what a disk without room does

        with pytest.raises(OutboxFullError):
            device.ask("lights please")
