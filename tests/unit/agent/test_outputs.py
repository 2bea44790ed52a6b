"""Answers of the cloud that no output takes: they are kept, and delivered later."""

from dataclasses import replace

from agent.stages import Origin
from tests.simulator import CloudSimulator
from tests.unit.agent.device import Device
from tests.unit.agent.exchange import QUESTION, expected


class TestOutputs:
    def test_an_answer_that_no_output_takes_is_kept_and_delivered_later(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        device.shelf.closed = True
        device.carry(cloud, device.escalate(QUESTION))
        device.pipeline.redeliver()  # not yet
        assert device.delivered == []

        device.shelf.closed = False
        device.clock.now_s += 10.0
        device.pipeline.redeliver()

        assert device.delivered == [expected(Origin.CLOUD, QUESTION)]
        assert len(device.outbox) == 0

    def test_the_kept_answer_outlives_the_agent(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        device.shelf.closed = True
        device.carry(cloud, device.escalate(QUESTION))
        device.clock.now_s += 10.0

        with device.crashed() as revived:
            revived.pipeline.redeliver()

            assert revived.delivered == [expected(Origin.CLOUD, QUESTION)]

    def test_the_answer_of_a_task_that_was_removed_waits_until_it_comes_back(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        parcel = device.escalate(QUESTION)
        pipeline = device.pipeline
        device.pipeline = replace(pipeline, tasks={})
        device.carry(cloud, parcel)
        assert (device.delivered, len(device.outbox)) == ([], 1)

        device.pipeline = pipeline
        device.clock.now_s += 10.0
        device.pipeline.redeliver()

        assert device.delivered == [expected(Origin.CLOUD, QUESTION)]
