"""Several questions of one conversation, on their way through the whole device."""

import os
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from agent.models.scripted import ScriptedModel
from agent.shell.folder import FolderInput
from agent.store.errors import OutboxFullError
from broker.wire.payload import Text
from tests.simulator import CloudSimulator
from tests.unit.agent.device import CONVERSATION_S, FIRST, SECOND, TASK, Device
from tests.unit.agent.exchange import heard

THIRD = UUID(int=3)


def asked(device: Device, cloud: CloudSimulator, text: str, ticket: UUID, talk: str) -> str:
    """Ask, and return the answer of a cloud that repeats what it heard."""
    parcel = device.ask(text, ticket, conversation=talk)
    assert parcel is not None
    device.carry(cloud, parcel)
    return device.delivered[-1].answer


def test_a_value_keeps_its_placeholder_across_questions(
    device: Device, cloud: CloudSimulator
) -> None:
    payloads = heard(cloud)

    asked(device, cloud, "from a@b.com", FIRST, "anna")
    asked(device, cloud, "to c@d.com, a@b.com", SECOND, "anna")
    answer = asked(device, cloud, "to c@d.com", THIRD, "bob")

    assert payloads == [
        Text("from <EMAIL_1>"),
        Text("to <EMAIL_2>, <EMAIL_1>"),
        Text("to <EMAIL_1>"),
    ]
    assert [each.answer for each in device.delivered[:2]] == ["from a@b.com", "to c@d.com, a@b.com"]
    assert answer == "to c@d.com"


def test_a_value_keeps_its_placeholder_after_a_crash(device: Device, cloud: CloudSimulator) -> None:
    payloads = heard(cloud)
    device.ask("from a@b.com", FIRST, conversation="anna")

    with device.crashed() as revived:
        asked(revived, cloud, "to c@d.com, a@b.com", SECOND, "anna")

    assert payloads == [Text("to <EMAIL_2>, <EMAIL_1>")]


def test_an_answer_may_name_what_an_earlier_question_held(
    device: Device, cloud: CloudSimulator
) -> None:
    asked(device, cloud, "from a@b.com", FIRST, "anna")
    model = ScriptedModel(lambda _: "you said <EMAIL_1>", chance=0.99)
    device.with_task(replace(device.task, model=model))

    device.ask("what did I say?", SECOND, conversation="anna")
    device.ask("what did I say?", THIRD, conversation="bob")

    assert device.delivered[1].answer == "you said a@b.com"
    assert device.delivered[2].answer == "you said <EMAIL_1>"
    assert device.delivered[2].flags == ("unknown placeholders: 1",)
    assert device.counted == ["unknown_placeholders"]


@pytest.mark.parametrize("look_alike", ["<EMAIL_1>", "email_1", "EMAIL 1", "&lt;email-1&gt;"])
def test_a_name_that_a_question_holds_by_itself_is_not_restored(
    device: Device, cloud: CloudSimulator, look_alike: str
) -> None:
    asked(device, cloud, "from a@b.com", FIRST, "anna")

    text = f"is {look_alike} a@b.com or c@d.com?"

    assert asked(device, cloud, text, SECOND, "anna") == text


def test_a_conversation_that_nobody_uses_ends(device: Device) -> None:
    device.ask("from a@b.com", conversation="anna")

    device.clock.now_s += CONVERSATION_S * 2
    device.pipeline.rest()

    assert device.counted == ["conversations_ended"]
    with device.pipeline.masker.conversations.turn(TASK, "anna", SECOND) as turn:
        assert turn.past.given == ()


def test_nothing_leaves_when_the_conversation_cannot_be_kept(device: Device) -> None:
    device.pipeline.masker.conversations._db.execute("PRAGMA query_only = ON")

    with pytest.raises(OutboxFullError):
        device.ask("from a@b.com", FIRST, conversation="anna")

    assert len(device.outbox) == 0
    assert device.delivered == []
    assert device.ask("from a@b.com", SECOND) is not None  # of no conversation


@pytest.mark.parametrize(
    ("name", "conversation"),
    [("anna~2.txt", "anna"), ("q.txt", ""), ("q.txt~", ""), ("~q.txt", ""), ("a~b~c.txt", "a")],
)
def test_a_files_name_begins_with_its_conversation(
    tmp_path: Path, name: str, conversation: str
) -> None:
    (tmp_path / name).write_text("lights on")
    os.utime(tmp_path / name, (0, 0))  # its writer is done
    found: list[str] = []

    FolderInput(tmp_path, task=TASK, sink=lambda each: found.append(each.conversation)).scan()

    assert found == [conversation]
