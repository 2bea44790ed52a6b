"""What the loop does with what comes from the broker and is no reply."""

import pytest

from broker.wire.session import Online, Receipt, Received
from broker.wire.topics import pool_keys
from tests.asker import FEW_EPOCHS, FLEET, POOL, Fleet
from tests.unit.agent.bench import Bench


def brought(payload: bytes) -> Received:
    return Received(pool_keys(FLEET, POOL), payload, b"", Receipt(1, 1))


def test_new_keys_are_taken_and_what_waits_is_sent_at_once(bench: Bench, fleet: Fleet) -> None:
    bench.run(Online(100), bench.arrived(b"lights on"))
    [question] = bench.link.questions()
    outbox, now_s = bench.device.outbox, bench.device.clock.now_s
    assert outbox.due(now_s) == []

    bench.run(brought(fleet.renew(FEW_EPOCHS)))

    assert bench.counters["bundles_taken"] == 1
    assert bench.link.acknowledged == [Receipt(1, 1)]
    (parcel,) = outbox.due(now_s)
    fresh = bench.device.pipeline.post.fresh(parcel)
    assert fresh is not None
    assert fresh.envelope != question.payload


def test_the_bundle_that_it_has_is_nothing_new(bench: Bench, fleet: Fleet) -> None:
    bench.run(brought(fleet.bundle()))

    assert not {"bundles_taken", "bundles_refused"} & set(bench.counters)
    assert bench.link.acknowledged == [Receipt(1, 1)]


@pytest.mark.parametrize("payload", [b"", b"{}", b"\xff" * 300])
def test_a_bundle_that_is_refused_is_counted_and_acknowledged(bench: Bench, payload: bytes) -> None:
    before = bench.device.pipeline.post.keyring.bundle

    bench.run(brought(payload))

    assert bench.counters["bundles_refused"] == 1
    assert bench.link.acknowledged == [Receipt(1, 1)]
    assert bench.device.pipeline.post.keyring.bundle is before
