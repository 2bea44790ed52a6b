"""The operator's side: answer the boards that ask."""

import fcntl
import os
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Self

from broker.fleet.admission import Answer, Outcome, answer
from broker.fleet.errors import RulesRefusedError
from broker.fleet.root import Root
from broker.wire import topics
from broker.wire.errors import BrokerUnavailableError
from broker.wire.link import refusal
from broker.wire.session import (
    FAILURE,
    NO_MATCHING_SUBSCRIBERS,
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
from broker.wire.topics import DeviceId
from firstline.exits import CommandError

_CONNECT_S = 10.0
_LOCK = ".door"
_EXPIRY_S = 60  # of an answer at the broker: the board asks again


class Door:
    """Answers requests to join, while a `with` block lasts: of all boards, whoever invited them.

    Args:
        root: The opened fleet.
        address: Its broker.
        told: Takes lines for whoever waits.
    """

    def __init__(self, root: Root, address: Address, *, told: Callable[[str], None]) -> None:
        self.seen: Counter[Outcome] = Counter()
        self._root = root
        self._told = told
        self._lock = -1
        self._where = f"{address.host}:{address.port}"
        self._heard: SimpleQueue[Event] = SimpleQueue()
        self._answers: dict[int, DeviceId] = {}  # by mid, until the broker has them
        requests = [topics.every_join_request(root.fleet)]
        self._session = Session(address, subscriptions=requests, sink=self._heard.put)

    def __enter__(self) -> Self:
        self._lock = _alone(self._root.folder)
        try:
            self._session.__enter__()
            self._await_connection()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def attend(self, *, for_s: float) -> list[DeviceId]:
        """Answer who asks in this time; return the devices that have heard that they are in.

        Raises:
            RulesRefusedError: the broker does not take us for its operator.
            FleetError: a file of the fleet is damaged, or the disk refused.
        """
        give_up_s = time.monotonic() + for_s
        while (left_s := give_up_s - time.monotonic()) > 0:
            try:
                device = self._take(self._heard.get(timeout=left_s))
            except Empty:
                break
            if device is not None:
                return [device]
        return []

    def _take(self, event: Event) -> DeviceId | None:
        match event:
            case Received(topic=topic, payload=payload, receipt=receipt):
                self._answer(topic, payload)
                self._session.ack(receipt)
            case SubscriptionRefused(code=code):
                raise self._refused(code)
            case Acknowledged(code=code) if code >= FAILURE:
                raise self._refused(code)
            case Acknowledged(mid=mid, code=code):
                device = self._answers.pop(mid, None)
                return None if code == NO_MATCHING_SUBSCRIBERS else device
            case Offline(reason):
                self._told(f"{self._where}: {reason}; trying again")
            case _:
                pass
        return None

    def _refused(self, code: int) -> RulesRefusedError:
        return RulesRefusedError(
            f"{self._where}: {refusal(code)}. The broker does not take us for its operator: write "
            "its rules again with 'firstline broker up' or 'firstline broker config'"
        )

    def _answer(self, topic: str, payload: bytes) -> None:
        invitation = topics.parse_join_request(topic)
        if invitation is None:
            return
        made = answer(self._root, invitation, payload, now_s=time.time())
        self.seen[made.outcome] += 1
        if made.wire:
            self._publish(invitation, made)

    def _publish(self, invitation: str, made: Answer) -> None:
        topic = topics.join_answer(self._root.fleet, invitation)
        try:
            mid = self._session.publish(Message(topic, made.wire, expiry_s=_EXPIRY_S))
        except BrokerUnavailableError:
            return  # the board asks again
        if made.device is not None and made.outcome in (Outcome.ADMITTED, Outcome.REPEATED):
            self._answers[mid] = made.device

    def _close(self) -> None:
        self._session.__exit__()
        os.close(self._lock)

    def _await_connection(self) -> None:
        give_up_s = time.monotonic() + _CONNECT_S
        while (left_s := give_up_s - time.monotonic()) > 0:
            try:
                event = self._heard.get(timeout=left_s)
            except Empty:
                break
            if isinstance(event, Online):
                return
            if isinstance(event, Offline):
                raise BrokerUnavailableError(f"{self._where}: {event.reason}")
        raise BrokerUnavailableError(f"{self._where}: no answer")


def _alone(folder: Path) -> int:
    """Keep other doors shut: the broker knows one operator, and a second would push it out."""
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise CommandError(
            "another 'firstline fleet enroll' or 'admit' waits for boards. End it with Ctrl-C: its "
            "code stays valid, and 'firstline fleet admit' lets all in"
        ) from None
    return descriptor
