"""Questions that wait while the pool's keys change: none is lost, none is worked on twice."""

from dataclasses import replace

import pytest

from agent.stages import Origin
from broker.fleet.epochs import DAY_S
from cloud_worker.letters import Reason
from tests.simulator import CloudSimulator, deliver, drop
from tests.unit.agent.device import FIRST, Device
from tests.unit.agent.exchange import QUESTION, carry_due, heard

HOUR_S = 3600.0
PATIENCE_S = 20 * HOUR_S


@pytest.fixture
def evening(device: Device, cloud: CloudSimulator) -> float:
    """An hour before the first epoch ends, by everybody's clock; tasks are patient."""
    bundle = device.pipeline.post.keyring.bundle
    device.clock.now_s = bundle.made_s + DAY_S - HOUR_S
    cloud.now_s = device.clock
    device.with_task(replace(device.task, patience_s=PATIENCE_S))
    return device.clock.now_s


class TestOver:
    @pytest.mark.usefixtures("evening")
    def test_a_question_whose_key_is_over_is_sealed_again_and_answered(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        device.escalate(QUESTION)
        device.clock.now_s += 3 * HOUR_S

        carry_due(device, cloud)

        assert cloud.reasons == [Reason.ANSWERED]
        assert [delivery.origin for delivery in device.delivered] == [Origin.CLOUD]

    @pytest.mark.usefixtures("evening")
    def test_in_its_grace_the_same_bytes_are_sent(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        parcel = device.escalate(QUESTION)
        device.clock.now_s += 1.5 * HOUR_S

        assert device.pipeline.post.fresh(parcel) is parcel
        carry_due(device, cloud)

        assert cloud.reasons == [Reason.ANSWERED]

    @pytest.mark.usefixtures("evening")
    def test_a_question_that_was_answered_under_the_old_key_is_not_worked_on_again(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        payloads = heard(cloud)
        cloud.way_back = drop
        device.carry(cloud, device.escalate(QUESTION))
        cloud.way_back = deliver
        device.clock.now_s += 3 * HOUR_S

        carry_due(device, cloud)

        assert (len(payloads), cloud.reasons) == (1, [Reason.ANSWERED, Reason.REPEATED])
        assert [delivery.origin for delivery in device.delivered] == [Origin.CLOUD]

    @pytest.mark.usefixtures("evening")
    def test_a_reply_to_the_old_seal_that_comes_late_is_the_answer(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        cloud.way_back = cloud.hold
        device.carry(cloud, device.escalate(QUESTION))
        device.clock.now_s += 3 * HOUR_S
        (parcel,) = device.outbox.due(device.clock.now_s)
        device.pipeline.post.fresh(parcel)

        (late,) = cloud.release()
        device.pipeline.finish(FIRST, late)

        assert [delivery.origin for delivery in device.delivered] == [Origin.CLOUD]

    @pytest.mark.usefixtures("evening")
    def test_a_crash_after_the_new_seal_loses_nothing(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        device.escalate(QUESTION)
        device.clock.now_s += 3 * HOUR_S
        (parcel,) = device.outbox.due(device.clock.now_s)
        device.pipeline.post.fresh(parcel)

        with device.crashed() as revived:
            carry_due(revived, cloud)

            assert [delivery.origin for delivery in revived.delivered] == [Origin.CLOUD]

    def test_without_a_key_a_question_waits_and_ends_in_the_draft(
        self, device: Device, evening: float
    ) -> None:
        device.clock.now_s = evening + 2 * DAY_S  # the last epoch's last hour
        parcel = device.escalate(QUESTION)
        device.clock.now_s += 3 * HOUR_S

        assert device.pipeline.post.fresh(parcel) is None
        device.clock.now_s += PATIENCE_S
        device.pipeline.expire("late")

        assert [delivery.origin for delivery in device.delivered] == [Origin.DEGRADED]
