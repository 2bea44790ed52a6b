"""A local MQTT topic as input, and one as output: for Node-RED, Home Assistant and the like.

A message is acknowledged when its answer is delivered or its question is safe in the outbox, so
the local broker brings it again after a crash. Its correlation data, where it has some, keeps such
a repeat from becoming a second question. A user property `conversation` names the conversation
that it belongs to.
"""

import logging
import os
from collections.abc import Callable, Sequence
from functools import partial
from queue import Empty, SimpleQueue

from agent.errors import OutputUnavailableError
from agent.shell.events import Arrived, delivery_json
from agent.stages import Delivery
from broker.wire.errors import BrokerUnavailableError
from broker.wire.session import (
    FAILURE,
    Acknowledged,
    Address,
    Event,
    Message,
    Offline,
    Received,
    Session,
    SubscriptionRefused,
)

_log = logging.getLogger(__name__)

_CONVERSATION = "conversation"  # the user property that names it
_PUBACK_S = 2.0  # a broker on the same board answers in milliseconds


class LocalBroker:
    """One connection to the broker on the board, for all tasks.

    Args:
        address: The local broker.
        tasks: Input topic -> task.
        sink: The loop's queue.
    """

    def __init__(
        self,
        address: Address,
        *,
        tasks: dict[str, str],
        sink: Callable[[Arrived], None],
    ) -> None:
        self._tasks, self._sink = tasks, sink
        self._acknowledged: SimpleQueue[Acknowledged] = SimpleQueue()
        topics: Sequence[str] = list(tasks)
        self._session = Session(address, subscriptions=topics, sink=self._heard)

    def start(self) -> None:
        """Connect, and stay so."""
        self._session.__enter__()

    def scan(self) -> None:
        """Nothing to look for: the broker brings everything."""

    def stop(self) -> None:
        """Disconnect."""
        self._session.__exit__()

    def deliver(self, topic: str, delivery: Delivery) -> None:
        """Publish an answer and wait for the local broker to take it.

        Raises:
            OutputUnavailableError: it did not.
        """
        try:
            mid = self._session.publish(Message(topic, delivery_json(delivery).encode()))
            while (taken := self._acknowledged.get(timeout=_PUBACK_S)).mid != mid:
                pass  # an earlier one's, which came too late
        except BrokerUnavailableError as error:
            raise OutputUnavailableError(f"local broker: {error}") from error
        except Empty:
            raise OutputUnavailableError("local broker: no acknowledgement") from None
        if taken.code >= FAILURE:
            raise OutputUnavailableError(f"local broker: refused, code {taken.code:#x}")

    def _heard(self, event: Event) -> None:
        if isinstance(event, Acknowledged):
            self._acknowledged.put(event)
        elif isinstance(event, Received):
            self._sink(self._arrived(event))
        elif isinstance(event, Offline):
            _log.warning("local broker: %s", event.reason)
        elif isinstance(event, SubscriptionRefused):
            _log.error("%s: refused by the local broker, %#x", event.subscription, event.code)

    def _arrived(self, message: Received) -> Arrived:
        # Without correlation data two equal messages are two questions.
        identity = message.correlation.hex() or os.urandom(8).hex()
        return Arrived(
            self._tasks[message.topic],
            message.topic,
            identity,
            read=partial(_read, message.payload),
            taken=partial(self._session.ack, message.receipt),
            refused=partial(self._refuse, message),
            conversation=message.user.get(_CONVERSATION, ""),
        )

    def _refuse(self, message: Received, error: Exception) -> None:
        _log.warning("%s: a message was refused: %s", message.topic, error)
        self._session.ack(message.receipt)


def _read(data: bytes, limit_bytes: int) -> bytes:
    return data[:limit_bytes]
