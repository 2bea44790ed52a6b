"""An unsure answer: the question goes out masked, and its answer comes back restored."""

from dataclasses import replace

from agent.core.gate import Calibration
from agent.models.model import ModelError
from agent.stages import Draft, Masked, Origin
from broker.wire.payload import Text
from tests.simulator import CloudSimulator
from tests.unit.agent.device import FIRST, PATIENCE_S, Device
from tests.unit.agent.exchange import MASKED, QUESTION, expected, heard, reply_to


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
        assert device.masked == ["masked_EMAIL"]
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
        assert delivery.flags == ("the model did not read the whole input, or was cut short",)

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


class Broken:
    """A model whose engine has died."""

    def draft(self, masked: Masked, domain: str) -> Draft:
        raise ModelError(f"{masked} {domain}")

    def calibration(self, domain: str) -> Calibration:
        raise ModelError(domain)

    def rest(self) -> None:
        pass


class Skimming:
    """A model that reads only the beginning."""

    def draft(self, _masked: Masked, _domain: str) -> Draft:
        return Draft("draft", 0.4, "skim 1", elapsed_ms=0.0, truncated=True)

    def calibration(self, _domain: str) -> Calibration:
        return Calibration(((0.0, 0.0), (1.0, 1.0)))

    def rest(self) -> None:
        pass
