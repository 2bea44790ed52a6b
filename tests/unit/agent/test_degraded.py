"""Questions that get no answer: the draft is delivered, with the reason."""

from dataclasses import replace

import pytest

from agent.core.clean import Expectation
from agent.stages import Origin
from broker.wire.payload import PayloadKind
from tests.simulator import CloudSimulator, drop
from tests.unit.agent.device import FIRST, PATIENCE_S, SECOND, Device
from tests.unit.agent.exchange import QUESTION, expected, refusing


class TestDegraded:
    def test_a_refused_question_is_answered_by_the_draft_and_flagged(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        refusing(cloud, "not a question for me")

        device.carry(cloud, device.escalate(QUESTION))

        flag = "the worker refused: not a question for me"
        assert device.delivered == [expected(Origin.DEGRADED, "draft", flag)]

    def test_an_unanswered_question_is_answered_by_the_draft_at_its_deadline(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        cloud.way_back = drop
        device.carry(cloud, device.escalate(QUESTION))

        device.clock.now_s += PATIENCE_S - 0.001
        assert device.pipeline.expire("too early") == 0
        device.clock.now_s += 0.001
        assert device.pipeline.expire("no worker is listening") == 1

        [delivery] = device.delivered
        answer = expected(Origin.DEGRADED, "draft", "no worker is listening")
        assert delivery == replace(answer, elapsed_ms=delivery.elapsed_ms)
        assert delivery.elapsed_ms == pytest.approx(PATIENCE_S * 1e3, rel=1e-3)

    @pytest.mark.parametrize("altered", ["SET memo = x'00'", "SET ending = x'00'"])
    def test_an_altered_row_is_counted_and_holds_up_nobody(
        self, device: Device, altered: str
    ) -> None:
        device.escalate(QUESTION)
        device.escalate("again", SECOND)
        device.outbox._db.execute("UPDATE outbox " + altered + " WHERE ticket = ?", (FIRST.bytes,))
        device.clock.now_s += PATIENCE_S

        device.pipeline.expire("no worker is listening")
        device.pipeline.redeliver()

        assert [delivery.ticket for delivery in device.delivered] == [SECOND]
        assert device.counted == ["rows_lost"]
        assert len(device.outbox) == 0

    def test_a_full_outbox_answers_here_and_flags_it(self, device: Device) -> None:
        device.outbox._max_rows = 1
        device.escalate("lights on", SECOND)

        parcel = device.ask(QUESTION)

        assert parcel is None
        flag = "not asked: the outbox holds its limit of 1 questions"
        assert device.delivered == [expected(Origin.DEGRADED, "draft", flag)]

    def test_a_full_disk_answers_here_and_flags_it(self, device: Device) -> None:
        (pages,) = device.outbox._db.execute("PRAGMA page_count").fetchone()
        device.outbox._db.execute(f"PRAGMA max_page_count = {pages}")

        parcel = device.ask("lights " * 1000)

        assert parcel is None
        flag = "not asked: the outbox cannot be written: database or disk is full"
        assert device.delivered == [expected(Origin.DEGRADED, "draft", flag)]

    def test_a_question_too_long_for_one_message_is_answered_here_and_flagged(
        self, device: Device
    ) -> None:
        large = replace(device.task.expect, max_chars=200_000)
        device.with_task(replace(device.task, expect=large))

        parcel = device.ask("x " * 99_000)

        assert parcel is None
        [delivery] = device.delivered
        assert delivery.origin is Origin.DEGRADED
        assert delivery.flags[-1].startswith("not asked: too long for one message")

    def test_an_unasked_answer_that_no_output_takes_is_kept(self, device: Device) -> None:
        device.clock.now_s = 1e11  # no key is valid then
        device.shelf.closed = True
        device.ask(QUESTION)

        device.shelf.closed = False
        device.clock.now_s += 10.0
        device.pipeline.redeliver()

        assert [delivery.origin for delivery in device.delivered] == [Origin.DEGRADED]

    def test_a_window_with_too_many_channels_for_a_message_is_answered_here_and_flagged(
        self, device: Device
    ) -> None:
        device.with_task(replace(device.task, expect=Expectation(PayloadKind.WINDOW, rate_hz=1.0)))
        names = ",".join(f"channel_{number:05}" for number in range(2000))

        parcel = device.ask(f"{names}\n{','.join(['1.0'] * 2000)}\n")

        assert parcel is None
        flag = "not asked: a message's header is too long"
        assert device.delivered == [expected(Origin.DEGRADED, "draft", flag)]
