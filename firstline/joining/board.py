"""The board's side: ask to be let in, again and again, until an answer opens."""

import random
import time
from collections import Counter
from collections.abc import Callable
from queue import Empty, SimpleQueue

from broker.wire import topics
from broker.wire.errors import BrokerUnavailableError, EnvelopeError, JoinRefusedError
from broker.wire.join_code import JoinSecret
from broker.wire.joining import Welcome, open_answer
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
from broker.wire.topics import FleetId

_AGAIN_S = (1.5, 2.5)
_UNKNOWN = (0x86, 0x87)  # bad user name or password, not authorized: MQTT 5.0, section 3.2.2.2
_EXPIRY_S = 5  # of a request at the broker: the next one follows


class Asker:
    """One board with one request.

    Args:
        fleet: Which fleet.
        secret: What its code opens.
        request: The sealed request.
        told: Takes lines for whoever waits.
    """

    def __init__(
        self,
        *,
        fleet: FleetId,
        secret: JoinSecret,
        request: bytes,
        told: Callable[[str], None],
    ) -> None:
        self.refused: Counter[str] = Counter()  # what came and was no answer to us
        self._fleet = fleet
        self._secret = secret
        self._request = request
        self._told = told
        self._state = ""
        self._online = False

    def ask(self, address: Address, *, wait_s: float) -> Welcome:
        """Ask until the operator lets this board in.

        Raises:
            JoinRefusedError: the operator does not.
            TimeoutError: nobody answered.
            BrokerUnavailableError: there was no broker to ask.
        """
        heard: SimpleQueue[Event] = SimpleQueue()
        give_up_s = time.monotonic() + wait_s
        again_s = 0.0
        hearing = [topics.join_answer(self._fleet, self._secret.id)]
        with Session(address, subscriptions=hearing, sink=heard.put) as session:
            while (now_s := time.monotonic()) < give_up_s:
                if self._online and now_s >= again_s:
                    self._publish(session)
                    again_s = now_s + random.uniform(*_AGAIN_S)  # noqa: S311 - jitter, no secret
                try:
                    event = heard.get(timeout=0.2)
                except Empty:
                    continue
                welcome = self._take(event, session)
                if welcome is not None:
                    return welcome
        raise self._why()

    def _publish(self, session: Session) -> None:
        topic = topics.join_request(self._fleet, self._secret.id)
        try:
            session.publish(Message(topic, self._request, expiry_s=_EXPIRY_S))
        except BrokerUnavailableError:
            self._online = False  # an `Offline` is on its way

    def _take(self, event: Event, session: Session) -> Welcome | None:
        match event:
            case Online():
                self._online = True
                self._tell("asking; waiting for the operator")
            case SubscriptionRefused():  # our name is made from the code
                raise JoinRefusedError("unknown")
            case Offline(code=code) if code in _UNKNOWN:  # who just hangs up may be starting
                raise JoinRefusedError("unknown")
            case Offline(reason):
                self._online = False
                self._tell(reason)
            case Acknowledged(code=code) if code >= FAILURE:
                raise JoinRefusedError("unknown")
            case Received(payload=payload, receipt=receipt):
                session.ack(receipt)
                try:
                    return open_answer(payload, self._secret, self._request)
                except EnvelopeError:
                    self.refused["answers"] += 1
            case _:
                pass
        return None

    def _tell(self, state: str) -> None:
        if state != self._state:
            self._state = state
            self._told(state)

    def _why(self) -> Exception:
        if not self._online:
            return BrokerUnavailableError(self._state or "the broker does not answer")
        forged = self.refused["answers"]
        seen = f"; {forged} answers came that are none to this request" if forged else ""
        return TimeoutError(
            "no operator answered. Is the code right and still valid, is this the right fleet, and "
            f"does 'firstline fleet enroll' or 'firstline fleet admit' run?{seen}"
        )
