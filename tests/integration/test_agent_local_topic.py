"""A second broker, on the board: questions come from a topic of it, answers go to another."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, SimpleQueue
from uuid import UUID

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from agent.core.errors import EmptyInputError
from agent.errors import OutputUnavailableError
from agent.shell.events import Arrived, ticket_of
from agent.shell.local_topic import LocalBroker
from agent.stages import Delivery, Origin
from broker.fleet.mosquitto import LOOPBACK, RunningBroker, running_broker
from broker.wire.session import Acknowledged, Address, Event, Message, Online, Received, Session

pytestmark = pytest.mark.broker
ASKED, ANSWERED = "home/asked", "home/answered"
WITHIN_S = 60.0
DELIVERY = Delivery(
    ticket=UUID(int=1),
    task="home",
    source=ASKED,
    answer="lights_on",
    origin=Origin.DEVICE,
    confidence=0.9,
    model="m 1",
    elapsed_ms=1.0,
)


class Neighbour:
    """Node-RED, Home Assistant or the like."""

    def __init__(self, port: int) -> None:
        self.events: SimpleQueue[Event] = SimpleQueue()
        address = Address(host=LOOPBACK, port=port, client_id="neighbour")
        self.session = Session(address, subscriptions=[ANSWERED], sink=self.events.put)

    def heard(self) -> Received:
        while not isinstance(event := self.events.get(timeout=WITHIN_S), Received):
            pass
        self.session.ack(event.receipt)
        return event

    def say(self, text: bytes, correlation: bytes = b"", topic: str = ASKED) -> None:
        """Ask, as soon as somebody listens."""
        give_up_s = time.monotonic() + WITHIN_S
        code = 0x10
        while code == 0x10:
            assert time.monotonic() < give_up_s
            self.session.publish(Message(topic, text, correlation=correlation))
            while not isinstance(event := self.events.get(timeout=WITHIN_S), Acknowledged):
                pass
            code = event.code


@pytest.fixture
def neighbour(broker: RunningBroker) -> Iterator[Neighbour]:
    neighbour = Neighbour(broker.port)
    with neighbour.session:
        while not isinstance(neighbour.events.get(timeout=WITHIN_S), Online):
            pass
        neighbour.say(b"myself", topic=ANSWERED)  # until its own subscription is there
        yield neighbour


class Local:
    """The agent's side of the local broker, in as many lives as a test likes."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.queue: SimpleQueue[Arrived] = SimpleQueue()
        self.broker = self._open()

    def _open(self) -> LocalBroker:
        address = Address(
            host=LOOPBACK, port=self.port, client_id="board-1-local", session_expiry_s=60
        )
        broker = LocalBroker(address, tasks={ASKED: "home"}, sink=self.queue.put)
        broker.start()
        broker.scan()
        return broker

    def restart(self) -> None:
        self.broker.stop()
        self.queue = SimpleQueue()
        self.broker = self._open()

    def noticed(self) -> Arrived:
        return self.queue.get(timeout=WITHIN_S)

    def quiet(self) -> bool:
        try:
            self.queue.get(timeout=0.5)
        except Empty:
            return True
        return False

    def deliver(self, delivery: Delivery) -> None:
        """Deliver, as soon as the broker is there."""
        give_up_s = time.monotonic() + WITHIN_S
        while True:
            try:
                self.broker.deliver(ANSWERED, delivery)
            except OutputUnavailableError:
                assert time.monotonic() < give_up_s
                time.sleep(0.02)
            else:
                return


@pytest.fixture
def local(broker: RunningBroker) -> Iterator[Local]:
    local = Local(broker.port)
    yield local
    local.broker.stop()


def test_a_message_is_a_question_of_its_topics_task(local: Local, neighbour: Neighbour) -> None:
    neighbour.say(b"lights on")

    arrived = local.noticed()
    assert (arrived.task, arrived.source, arrived.read(6)) == ("home", ASKED, b"lights")


def test_a_user_property_names_the_conversation(local: Local, neighbour: Neighbour) -> None:
    neighbour.say(b"lights on")  # now somebody listens
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.UserProperty = [("room", "kitchen"), ("conversation", "anna")]

    neighbour.session._client.publish(ASKED, b"lights off", 1, properties=properties)

    assert [local.noticed().conversation, local.noticed().conversation] == ["", "anna"]


def test_an_answer_is_published(local: Local, neighbour: Neighbour) -> None:
    local.deliver(DELIVERY)

    while (message := neighbour.heard()).payload == b"myself":
        pass
    assert message.topic == ANSWERED
    assert json.loads(message.payload)["answer"] == "lights_on"


def test_a_message_comes_again_until_it_is_taken_and_under_the_same_ticket(
    local: Local, neighbour: Neighbour
) -> None:
    neighbour.say(b"lights on", correlation=b"42")
    first = local.noticed()

    local.restart()

    again = local.noticed()
    assert ticket_of(again, b"lights on") == ticket_of(first, b"lights on")
    again.taken()
    local.deliver(DELIVERY)  # the acknowledgement has gone out before this
    local.restart()
    assert local.quiet()


def test_a_message_that_is_refused_does_not_come_again(
    local: Local, neighbour: Neighbour, caplog: pytest.LogCaptureFixture
) -> None:
    neighbour.say(b"")
    local.noticed().refused(EmptyInputError("The input is empty."))
    local.deliver(DELIVERY)

    local.restart()

    assert local.quiet()
    assert "home/asked: a message was refused: The input is empty." in caplog.text


def test_two_equal_messages_without_correlation_are_two_questions(
    local: Local, neighbour: Neighbour
) -> None:
    neighbour.say(b"lights on")
    neighbour.say(b"lights on")

    tickets = {ticket_of(local.noticed(), b"lights on") for _ in range(2)}

    assert len(tickets) == 2


def test_a_local_broker_that_has_gone_is_unavailable(tmp_path: Path) -> None:
    with running_broker(tmp_path / "broker") as running:
        local = Local(running.port)
        local.deliver(DELIVERY)
    try:
        with pytest.raises(OutputUnavailableError, match="local broker"):
            local.broker.deliver(ANSWERED, DELIVERY)
    finally:
        local.broker.stop()


def test_a_local_broker_that_does_not_acknowledge_is_unavailable(
    broker: RunningBroker,
) -> None:
    local = Local(broker.port)
    local.deliver(DELIVERY)
    local.broker._session._client._acknowledged = _lost
    try:
        with pytest.raises(OutputUnavailableError, match="no acknowledgement"):
            local.broker.deliver(ANSWERED, DELIVERY)
    finally:
        local.broker.stop()


def _lost(_mid: int, _code: int) -> None:
    """An acknowledgement that does not come."""
