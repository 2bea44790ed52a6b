"""A worker that has a question's key no more says so, and only a worker can."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.stages import Origin
from broker.fleet.epochs import DAY_S
from broker.wire.epochs import read_chains
from broker.wire.errors import EnvelopeError
from broker.wire.stale import sign_stale
from cloud_worker.letters import Reason
from tests.asker import FEW_EPOCHS, Fleet
from tests.simulator import CloudSimulator
from tests.unit.agent.device import FIRST, SECOND, Device
from tests.unit.agent.exchange import QUESTION, carry_due, expected

HOUR_S = 3600.0


def notice_key(fleet: Fleet) -> Ed25519PrivateKey:
    (chain,) = read_chains(fleet.worker_folder).values()
    return chain.notice_key


def stale(device: Device, fleet: Fleet, now_s: float) -> bytes:
    """A true word of a worker on the first question."""
    bound = device.pipeline.post.memo(FIRST).reply_key.bound
    return sign_stale(int(now_s), bound=bound, notice_key=notice_key(fleet))


class TestGone:
    @pytest.mark.parametrize("behind_days", [1.2, 2.5])
    def test_a_clock_that_is_days_behind_is_learnt_from_the_workers_word(
        self, device: Device, cloud: CloudSimulator, behind_days: float
    ) -> None:
        cloud.now_s = lambda: device.clock.now_s + behind_days * DAY_S
        device.carry(cloud, device.escalate(QUESTION))
        assert device.delivered == []

        carry_due(device, cloud)
        device.carry(cloud, device.escalate("again", SECOND))

        assert cloud.reasons == [Reason.STALE, Reason.ANSWERED, Reason.ANSWERED]
        assert device.delivered[0] == expected(Origin.CLOUD, QUESTION)
        assert device.counted == ["rekeyed"]

    def test_what_was_learnt_survives_a_restart(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        cloud.now_s = lambda: device.clock.now_s + 2 * DAY_S
        device.carry(cloud, device.escalate(QUESTION))

        with device.crashed() as revived:
            carry_due(revived, cloud)
            revived.carry(cloud, revived.escalate("again", SECOND))

        assert cloud.reasons == [Reason.STALE, Reason.ANSWERED, Reason.ANSWERED]

    def test_a_board_that_wakes_up_in_1970_with_an_old_bundle_asks_and_learns_the_time(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        now_s = device.clock.now_s + 2 * DAY_S
        device.clock.now_s, cloud.now_s = 0.0, lambda: now_s

        device.carry(cloud, device.escalate(QUESTION))
        carry_due(device, cloud)

        assert cloud.reasons == [Reason.STALE, Reason.ANSWERED]

    def test_a_clock_that_is_days_ahead_is_told_the_date_sealed(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        cloud.now_s = lambda: device.clock.now_s - 2 * DAY_S + HOUR_S

        device.clock.now_s += 2 * DAY_S - HOUR_S
        device.carry(cloud, device.escalate(QUESTION))
        carry_due(device, cloud)

        assert cloud.reasons == [Reason.DATE, Reason.ANSWERED]

    def test_a_pool_that_gave_its_keys_up_is_asked_under_the_new_ones(
        self, device: Device, cloud: CloudSimulator, fleet: Fleet
    ) -> None:
        parcel = device.escalate(QUESTION)
        new = fleet.renew(FEW_EPOCHS)
        cloud.worker.keep_house(now_s=device.clock.now_s)
        refused = device.carry(cloud, parcel)  # signed by a notice key that it does not know yet

        device.pipeline.post.keyring.take(new)
        device.outbox.hurry(device.clock.now_s)
        carry_due(device, cloud)

        assert refused == [EnvelopeError]
        assert cloud.reasons == [Reason.STALE, Reason.ANSWERED]
        assert [delivery.origin for delivery in device.delivered] == [Origin.CLOUD]

    def test_a_worker_that_lacks_the_key_of_now_costs_the_question_nothing(
        self, device: Device, fleet: Fleet, cloud: CloudSimulator
    ) -> None:
        parcel = device.escalate(QUESTION)

        device.pipeline.finish(FIRST, stale(device, fleet, device.clock.now_s))

        assert device.counted == ["keyless"]
        assert device.outbox.due(device.clock.now_s + 5)[0].envelope == parcel.envelope
        device.carry(cloud, parcel)
        assert [delivery.origin for delivery in device.delivered] == [Origin.CLOUD]

    def test_a_worker_that_says_so_for_ever_does_not_wear_out_the_card(
        self, device: Device, fleet: Fleet
    ) -> None:
        device.escalate(QUESTION)
        start_s = device.clock.now_s

        for turn in range(20):  # each time another epoch is the present one
            now_s = start_s + (turn % 2 + 1) * DAY_S
            device.pipeline.finish(FIRST, stale(device, fleet, now_s))

        assert device.counted.count("rekeyed") == 4
        assert device.counted.count("keyless") == 16

    def test_a_workers_clock_from_before_the_keys_is_not_learnt(
        self, device: Device, fleet: Fleet
    ) -> None:
        device.clock.now_s += DAY_S
        device.escalate(QUESTION)

        device.pipeline.finish(FIRST, stale(device, fleet, 1_000_000))  # January 1970

        made_s = device.pipeline.post.keyring.bundle.made_s
        offset_s = device.outbox.number("clock_offset_s")
        assert device.clock.now_s + offset_s >= made_s

    def test_a_workers_clock_from_after_the_keys_is_not_learnt(
        self, device: Device, fleet: Fleet
    ) -> None:
        device.escalate(QUESTION)

        device.pipeline.finish(FIRST, stale(device, fleet, device.clock.now_s + 9 * DAY_S))

        assert device.outbox.number("clock_offset_s") == 0.0
        assert device.counted == ["keyless"]


class TestForged:
    def test_a_word_that_no_worker_of_the_pool_signed_is_refused(
        self, device: Device, fleet: Fleet
    ) -> None:
        device.escalate(QUESTION)
        device.escalate("again", SECOND)
        later_s = device.clock.now_s + 2 * DAY_S
        bounds = [device.pipeline.post.memo(ticket).reply_key.bound for ticket in (FIRST, SECOND)]
        true = stale(device, fleet, later_s)
        forged = {
            "by another key": sign_stale(
                int(later_s), bound=bounds[0], notice_key=Ed25519PrivateKey.generate()
            ),
            "of another question": sign_stale(
                int(later_s), bound=bounds[1], notice_key=notice_key(fleet)
            ),
            "with another time": true[:19] + bytes([true[19] ^ 1]) + true[20:],
        }

        for word in forged.values():
            with pytest.raises(EnvelopeError):
                device.pipeline.finish(FIRST, word)

        assert device.outbox.number("clock_offset_s") == 0.0
        assert device.counted == []

    def test_a_word_on_the_earlier_seal_is_refused(self, device: Device, fleet: Fleet) -> None:
        device.escalate(QUESTION)
        word = stale(device, fleet, device.clock.now_s + 2 * DAY_S)
        device.pipeline.finish(FIRST, word)

        with pytest.raises(EnvelopeError):
            device.pipeline.finish(FIRST, word)
