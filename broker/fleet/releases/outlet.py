"""The operator's connection for releases: many messages, few at a time, through cuts and restarts.

messages --at most 2 MiB without PUBACK--> broker        paho sends again after a reconnect
what boards say --------------------------> `heard`
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from queue import Empty, SimpleQueue
from typing import Final, Self

from broker.fleet.errors import RulesRefusedError
from broker.wire.errors import BrokerUnavailableError
from broker.wire.link import refusal
from broker.wire.session import (
    FAILURE,
    Acknowledged,
    Address,
    Event,
    Message,
    Offline,
    Online,
    Received,
    Session,
    SubscriptionRefused,
)

PATIENCE_S: Final = 30.0  # with a broker that acknowledges nothing
_UNACKNOWLEDGED: Final = 16  # messages: 2 MiB
_ANSWER_S: Final = 3.0  # until a retained message would have come
_HEARD: Final = 4096  # messages that wait for us; more are dropped, and boards ask again


class Outlet:
    """A context manager for the connection. Use from one thread.

    Args:
        address: The broker, and who we are to it.
        subscriptions: What boards say.
        patience_s: How long to wait for a broker that acknowledges nothing.
        aside: Takes what it knows as soon as it comes, so that none of it is dropped; false: it
            is not for it.
    """

    def __init__(
        self,
        address: Address,
        *,
        subscriptions: Sequence[str] = (),
        patience_s: float = PATIENCE_S,
        aside: Callable[[Received], bool] = lambda _message: False,
    ) -> None:
        self._aside = aside
        self._where = f"{address.host}:{address.port}"
        self._events: SimpleQueue[Event] = SimpleQueue()
        self._session = Session(address, subscriptions=subscriptions, sink=self._events.put)
        self._patience_s = patience_s
        self._online = False
        self._why = "no answer"
        self._sent: dict[int, str] = {}  # topics, by mid, until the broker has them
        self.connections = 0
        self.sent_bytes = 0  # of payloads, repeats after a reconnect aside
        self._asked = ""
        self._answers: dict[str, bytes] = {}
        self.heard: deque[Received] = deque(maxlen=_HEARD)

    def __enter__(self) -> Self:
        self._session.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._session.__exit__()

    @property
    def has_room(self) -> bool:
        """Whether one more message may be sent now."""
        return self._online and len(self._sent) < _UNACKNOWLEDGED

    def publish(self, messages: Iterable[Message], sent: Callable[[Message], None]) -> None:
        """Publish all, and wait until the broker has them; `sent` is told of each that leaves.

        Raises:
            BrokerUnavailableError: it is not there, or takes nothing any more.
            RulesRefusedError: it does not take us for its operator.
        """
        for message in messages:
            self._wait(lambda: self.has_room)
            while not self.send(message):
                self._wait(lambda: self.has_room)
            sent(message)
        self._wait(lambda: not self._sent)

    def send(self, message: Message) -> bool:
        """Publish one if there is room; false: not now."""
        if not self.has_room:
            return False
        try:
            self._sent[self._session.publish(message)] = message.topic
        except BrokerUnavailableError:  # just now; we shall hear of it
            return False
        self.sent_bytes += len(message.payload)
        return True

    def ask(self, topic: str, timeout_s: float = _ANSWER_S) -> bytes | None:
        """What the broker retains on a topic; None: nothing.

        Raises:
            BrokerUnavailableError: it is not there.
            RulesRefusedError: it does not take us for its operator.
        """
        self._wait(lambda: self._online)
        self._answers.pop(topic, None)
        self._asked = topic
        self._session.watch([topic])
        give_up_s = time.monotonic() + timeout_s
        while topic not in self._answers and time.monotonic() < give_up_s:
            self.attend(0.1)
        self._asked = ""
        self._session.unwatch([topic])
        return self._answers.pop(topic, None)

    def attend(self, timeout_s: float) -> None:
        """Take what comes in this time, or until something did.

        Raises:
            RulesRefusedError: the broker does not take us for its operator.
        """
        try:
            self._take(self._events.get(timeout=timeout_s))
            while not self._events.empty():
                self._take(self._events.get())
        except Empty:
            pass

    def _wait(self, done: Callable[[], bool]) -> None:
        give_up_s, left = time.monotonic() + self._patience_s, len(self._sent)
        while not done():
            if time.monotonic() > give_up_s:
                raise BrokerUnavailableError(f"{self._where}: {self._why}")
            self.attend(0.2)
            if len(self._sent) < left:
                give_up_s, left = time.monotonic() + self._patience_s, len(self._sent)

    def _take(self, event: Event) -> None:
        match event:
            case Online():
                self._online, self._why = True, "it acknowledges nothing"
                self.connections += 1
            case Offline(reason):
                self._online, self._why = False, reason
            case Acknowledged(mid=mid, code=code):
                topic = self._sent.pop(mid, "")
                if code >= FAILURE:
                    raise self._refused(topic, code)
            case SubscriptionRefused(subscription=topic, code=code):
                raise self._refused(topic, code)
            case Received(topic=topic, payload=payload, receipt=receipt) as message:
                self._session.ack(receipt)
                if topic == self._asked:
                    self._answers[topic] = payload
                elif receipt.mid and not self._aside(message):  # without: asked for, and late
                    self.heard.append(message)
            case _:
                pass

    def _refused(self, topic: str, code: int) -> RulesRefusedError:
        return RulesRefusedError(
            f"{self._where}: {topic}: {refusal(code)}. Write its rules again with "
            "'firstline broker up' or 'firstline broker config'"
        )
