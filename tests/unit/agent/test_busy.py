"""A worker that has no room: the question waits, but not for ever."""

from agent.stages import Origin
from cloud_worker.letters import Reason
from tests.simulator import CloudSimulator
from tests.unit.agent.device import FIRST, Device
from tests.unit.agent.exchange import QUESTION


class TestBusy:
    def test_a_busy_worker_postpones_the_question_and_then_answers_it(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        cloud.full = True
        device.carry(cloud, device.escalate(QUESTION))
        assert device.outbox.due(device.clock.now_s + 0.9) == []  # the simulator says one second

        cloud.full = False
        device.clock.now_s += 1.0
        device.carry_due(cloud)

        [delivery] = device.delivered
        assert cloud.reasons == [Reason.BUSY, Reason.ANSWERED]
        assert (delivery.answer, delivery.origin) == (QUESTION, Origin.CLOUD)

    def test_a_worker_that_stays_busy_ends_at_the_deadline(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        cloud.full = True
        device.escalate(QUESTION)
        while device.clock.now_s < device.outbox.deadline_s(FIRST):
            device.carry_due(cloud)
            device.clock.now_s += 5.0

            device.pipeline.expire("all workers are busy")
            if len(device.outbox) == 0:
                break

        [delivery] = device.delivered
        assert (delivery.origin, delivery.flags) == (Origin.DEGRADED, ("all workers are busy",))
