"""The line from a question to its answer, with the real worker in memory at its other end."""

import json
import struct
import time
from dataclasses import replace
from uuid import UUID

import pytest

from agent.core.clean import Expectation
from agent.core.errors import EmptyInputError
from agent.core.gate import Calibration
from agent.core.mask import FieldRule, MaskRules
from agent.models.model import ModelError
from agent.models.scripted import ScriptedModel
from agent.stages import Delivery, Draft, Masked, Origin
from agent.store.errors import OutboxFullError, StoreError, UnknownTicketError
from broker.wire.envelope import ReplyKey, seal_reply
from broker.wire.errors import EnvelopeError, MessageError
from broker.wire.messages import (
    Answer,
    Question,
    Reply,
    WrongDate,
    dump_question,
    dump_reply,
)
from broker.wire.payload import Payload, PayloadKind, Record, Text, Window
from cloud_worker.errors import UnfitQuestionError
from cloud_worker.letters import Reason
from cloud_worker.models import Instant
from tests.asker import DOMAIN, Fleet
from tests.simulator import CloudSimulator, drop, duplicate
from tests.unit.agent.device import (
    FIRST,
    PATIENCE_S,
    SECOND,
    TASK,
    Clock,
    Device,
    Shelf,
    make_task,
    opened,
    sure,
)

QUESTION = "mail bob@example.org please"
MASKED = "mail <EMAIL_1> please"


def expected(origin: Origin, answer: str, *flags: str) -> Delivery:
    """What QUESTION becomes, all but its time."""
    confidence, model = (1.0, "echo 1") if origin is Origin.CLOUD else (0.4, f"scripted {DOMAIN}")
    return Delivery(
        ticket=FIRST,
        task=TASK,
        source="a.txt",
        answer=answer,
        origin=origin,
        confidence=confidence,
        model=model,
        elapsed_ms=0.0,
        flags=flags,
    )


def heard(cloud: CloudSimulator) -> list[Payload]:
    """Have the cloud note what it reads."""
    payloads: list[Payload] = []
    complete = cloud.worker.completers[DOMAIN].complete

    def note(question: Question) -> Answer:
        payloads.append(question.payload)
        return complete(question)

    cloud.worker.completers = {DOMAIN: Instant("echo 1", note)}
    return payloads


def refusing(cloud: CloudSimulator, reason: str) -> None:
    """Have the cloud's model refuse every question."""

    def refuse(_question: Question) -> Answer:
        raise UnfitQuestionError(reason)

    cloud.worker.completers = {DOMAIN: Instant("picky 1", refuse)}


def told(device: Device, reply: Reply) -> None:
    """Have who can read the first question say something."""
    key = device.pipeline.post.memo(FIRST).reply_key
    device.pipeline.finish(FIRST, seal_reply(dump_reply(reply), key))


def reply_to(device: Device, ticket: UUID, answer: str) -> bytes:
    """A true reply by who can read the question."""
    key = device.pipeline.post.memo(ticket).reply_key
    return seal_reply(dump_reply(Answer(answer, "large 1", 1.0)), key)


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


class TestUnsure:
    def test_an_unsure_answer_is_escalated_without_personal_data_and_restored(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        payloads = heard(cloud)

        parcel = device.escalate(QUESTION)
        refused = device.carry(cloud, parcel)

        assert refused == []
        assert payloads == [Text(MASKED)]
        assert b"bob" not in parcel.envelope
        assert device.delivered == [expected(Origin.CLOUD, QUESTION)]
        assert len(device.outbox) == 0

    def test_nothing_is_delivered_before_the_reply(self, device: Device) -> None:
        device.escalate(QUESTION)

        assert device.delivered == []
        assert len(device.outbox) == 1

    def test_a_question_whose_model_fails_is_escalated(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        device.with_task(replace(device.task, model=Broken()))

        device.carry(cloud, device.escalate(QUESTION))

        flags = ("the local model gave no answer",)
        assert device.delivered == [expected(Origin.CLOUD, QUESTION, *flags)]

    def test_a_question_whose_model_and_cloud_both_fail_gets_an_empty_flagged_answer(
        self, device: Device
    ) -> None:
        device.with_task(replace(device.task, model=Broken()))
        device.escalate(QUESTION)

        device.clock.now_s += PATIENCE_S
        device.pipeline.expire("nobody is there")

        flags = ("the local model gave no answer", "nobody is there")
        [delivery] = device.delivered
        assert delivery == replace(
            expected(Origin.DEGRADED, "", *flags),
            confidence=0.0,
            model="none",
            elapsed_ms=delivery.elapsed_ms,
        )

    def test_a_provisional_answer_comes_at_once_and_the_final_one_follows(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        device.with_task(replace(device.task, provisional=True))

        parcel = device.escalate(QUESTION)
        device.carry(cloud, parcel)

        assert device.delivered == [
            replace(expected(Origin.DEVICE, "draft"), final=False),
            expected(Origin.CLOUD, QUESTION),
        ]

    def test_a_provisional_answer_that_no_output_takes_is_forgotten(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        device.with_task(replace(device.task, provisional=True))
        device.shelf.closed = True
        parcel = device.escalate(QUESTION)

        device.shelf.closed = False
        device.carry(cloud, parcel)

        assert device.delivered == [expected(Origin.CLOUD, QUESTION)]

    def test_a_draft_that_read_only_a_part_is_flagged(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        device.with_task(replace(device.task, model=Skimming()))

        device.carry(cloud, device.escalate(QUESTION))

        [delivery] = device.delivered
        assert delivery.flags == ("the model did not read the whole input",)

    def test_a_cut_text_is_flagged_to_the_end(self, device: Device, cloud: CloudSimulator) -> None:
        short = replace(device.task.expect, max_chars=9)
        device.with_task(replace(device.task, expect=short))

        device.carry(cloud, device.escalate("lights please now"))

        [delivery] = device.delivered
        assert (delivery.answer, delivery.flags) == ("lights", ("truncated to 6 of 17 characters",))

    def test_a_placeholder_that_nobody_gave_stays_and_is_flagged(self, device: Device) -> None:
        device.escalate(QUESTION)

        device.pipeline.finish(FIRST, reply_to(device, FIRST, "<EMAIL_1> <IBAN_7>"))

        [delivery] = device.delivered
        assert delivery.answer == "bob@example.org <IBAN_7>"
        assert delivery.flags == ("unknown placeholders: 1",)


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

    def test_the_reply_to_the_first_seal_does_not_open_for_the_second(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        device.clock.now_s -= 5 * 3600
        parcel = device.escalate(QUESTION)
        first_key = device.pipeline.post.memo(FIRST).reply_key
        device.carry(cloud, parcel)

        with pytest.raises(EnvelopeError):
            device.pipeline.finish(FIRST, seal_reply(dump_reply(Answer("x", "m", 1)), first_key))

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

    def test_a_crash_after_the_question_was_stored_asks_it_again_with_the_same_bytes(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        parcel = device.escalate(QUESTION)

        with device.crashed() as revived:
            revived.clock.now_s += 10.0
            [again] = revived.outbox.due(revived.clock.now_s)
            revived.carry(cloud, again)

            assert again == parcel
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

        with device.crashed() as revived:
            assert revived.ask(QUESTION) is None
            revived.clock.now_s += 2 * PATIENCE_S
            revived.pipeline.expire("too late")

            assert revived.delivered == []
            assert len(revived.outbox) == 0


class TestRecordsAndWindows:
    RULES = MaskRules(
        {"speed": FieldRule.KEEP, "note": FieldRule.KEEP, "driver": FieldRule.PSEUDONYMIZE}
    )
    RECORD = b'{"speed": 7, "note": "call bob@example.org", "driver": "Bob", "home": "Elm St 1"}'
    WINDOW = b"# rate_hz: 2\nx,y\n1,2\n3,4\n"

    def test_of_a_record_only_what_the_rules_name_leaves_the_device(
        self, device: Device, cloud: CloudSimulator
    ) -> None:
        expect = Expectation(PayloadKind.RECORD)
        device.with_task(replace(device.task, expect=expect, rules=self.RULES))
        payloads = heard(cloud)

        device.carry(cloud, device.escalate(self.RECORD))

        masked: dict[str, float | str] = {
            "speed": 7.0,
            "note": "call <EMAIL_1>",
            "driver": "<DRIVER_1>",
        }
        assert payloads == [Record(masked)]
        [delivery] = device.delivered
        assert delivery.origin is Origin.CLOUD
        assert json.loads(delivery.answer) == {
            "speed": 7.0,
            "note": "call bob@example.org",
            "driver": "Bob",
        }
        assert delivery.flags == ("dropped: home",)

    def test_a_window_travels_as_it_is(self, device: Device, cloud: CloudSimulator) -> None:
        device.with_task(replace(device.task, expect=Expectation(PayloadKind.WINDOW)))
        payloads = heard(cloud)

        device.carry(cloud, device.escalate(self.WINDOW))

        assert payloads == [Window(struct.pack("<4f", 1, 2, 3, 4), ("x", "y"), 2.0)]
        [delivery] = device.delivered
        assert delivery.origin is Origin.CLOUD


class Broken:
    """A model whose engine has died."""

    def draft(self, masked: Masked, domain: str) -> Draft:
        raise ModelError(f"{masked} {domain}")

    def calibration(self, domain: str) -> Calibration:
        raise ModelError(domain)


class Skimming:
    """A model that reads only the beginning."""

    def draft(self, _masked: Masked, _domain: str) -> Draft:
        return Draft("draft", 0.4, "skim 1", elapsed_ms=0.0, truncated=True)

    def calibration(self, _domain: str) -> Calibration:
        return Calibration(((0.0, 0.0), (1.0, 1.0)))


class Interrupted:
    """An output during whose work the agent is killed."""

    def __init__(self, device: Device) -> None:
        self.delivered: list[Delivery] = []
        self.key = device.pipeline.post.memo(FIRST).reply_key

    def __call__(self, delivery: Delivery) -> None:
        self.delivered.append(delivery)
        raise KeyboardInterrupt
