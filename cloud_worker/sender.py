"""Publishes letters and presences, and knows what the broker has not taken yet."""

from collections import Counter
from collections.abc import Callable

from broker.wire.errors import BrokerUnavailableError
from broker.wire.session import FAILURE, Message
from cloud_worker.letters import Letter

_LEAST_EXPIRY_S = 60  # of a reply whose question is out of date, such as `WrongDate`


class Sender:
    """The way out of a worker. Use from one thread.

    Args:
        publish: The session's; returns the id that the acknowledgement has.
        now_s: Unix time, seconds.
        counters: The worker's.
    """

    def __init__(
        self,
        publish: Callable[[Message], int],
        *,
        now_s: Callable[[], float],
        counters: Counter[str],
    ) -> None:
        self.under_way: set[int] = set()  # published and not acknowledged
        self._publish, self._now_s, self._counters = publish, now_s, counters

    def send(self, letter: Letter) -> None:
        """Publish a letter; the broker keeps it as long as somebody waits for it."""
        remaining_s = int(letter.expires_s - self._now_s())
        message = Message(
            letter.topic,
            letter.sealed,
            correlation=letter.ticket.bytes,
            expiry_s=max(_LEAST_EXPIRY_S, remaining_s),
        )
        self.publish(message)

    def publish(self, message: Message) -> None:
        """Publish something."""
        try:
            self.under_way.add(self._publish(message))
        except BrokerUnavailableError:  # the reply is stored: the device asks again and gets it
            self._counters["unsent"] += 1

    def acknowledged(self, mid: int, code: int) -> None:
        """The broker has taken it, or refused it."""
        self.under_way.discard(mid)
        if code >= FAILURE:
            self._counters["refused_by_broker"] += 1
