"""The post office: seals questions into the outbox, opens their replies.

put:   Asked + question --> envelope to the pool + memo to ourselves --> outbox
open:  reply + memo     --> Reply
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from agent.stages import Asked, Delivery
from agent.store.memo import Memo, Safe
from agent.store.outbox import NO_NUMBERS, Outbox, Parcel
from broker.wire.credentials import DeviceCredentials
from broker.wire.envelope import Header, ReplyKey, open_reply, seal_question
from broker.wire.errors import KeyFileError
from broker.wire.keys import Suite, signing_key_name
from broker.wire.messages import Reply, load_reply
from broker.wire.topics import Route

_CLOCK_OFFSET = "clock_offset_s"  # worker's clock minus ours; boards have no battery clock
_SOON_S = 2.0  # an answer that could not be handed over is tried again after this


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What the device needs in order to write and to read sealed letters."""

    credentials: DeviceCredentials
    suites: tuple[Suite, ...]  # that this machine can do, best first
    safe: Safe
    outbox: Outbox
    now_s: Callable[[], float]  # Unix time, seconds
    resend_s: float  # a question without a reply is published again after this

    @property
    def route(self) -> Route:
        """Where questions go and replies come from."""
        return Route(self.credentials.fleet, self.credentials.pool, self.credentials.device)

    def put(
        self,
        asked: Asked,
        question: bytes,
        deadline_s: float,
        numbers: Mapping[str, float] = NO_NUMBERS,
    ) -> Parcel | None:
        """Seal a question into the outbox; None if its ticket is there already.

        Numbers to remember with it are there exactly if it is.

        Raises:
            OutboxFullError: no room.
            KeyFileError: no key of the pool is valid now.
            EnvelopeError: the question is too long for one message.
        """
        offset_s = self.outbox.number(_CLOCK_OFFSET)
        envelope, reply_key = self._seal(asked.ticket, question, deadline_s, offset_s)
        memo = self.safe.seal_memo(Memo(asked, reply_key, question))
        parcel = Parcel(asked.ticket, envelope, 1, deadline_s)
        due_s = self.now_s() + self.resend_s
        added = self.outbox.put(parcel, memo=memo, due_s=due_s, numbers=numbers)
        return parcel if added else None

    def memo(self, ticket: UUID) -> Memo:
        """What is known of a question that waits.

        Raises:
            UnknownTicketError: answered, expired, or never ours.
            StoreError: the stored row was altered.
        """
        return self.safe.open_memo(ticket, self.outbox.memo(ticket))

    def open(self, ticket: UUID, sealed: bytes) -> tuple[Memo, Reply]:
        """Open the reply to a question.

        Raises:
            WireError: not a reply that we can open and read.
            UnknownTicketError: a repeat, too late, or nothing we asked.
        """
        memo = self.memo(ticket)
        return memo, load_reply(open_reply(sealed, memo.reply_key))

    def redate(self, memo: Memo, cloud_s: float) -> bool:
        """Learn the worker's clock and seal the question again.

        False if that was done before, or if that clock is before the pool's keys were made or
        after their end: a worker whose own clock is broken must not keep this device from asking
        ever again.
        """
        if memo.redated or cloud_s < self.credentials.bundle.made_s:
            return False
        ticket, now_s = memo.asked.ticket, self.now_s()
        offset_s, deadline_s = cloud_s - now_s, self.outbox.deadline_s(ticket)
        try:
            envelope, reply_key = self._seal(ticket, memo.question, deadline_s, offset_s)
        except KeyFileError:
            return False
        self.outbox.remember(_CLOCK_OFFSET, offset_s)
        again = self.safe.seal_memo(replace(memo, reply_key=reply_key, redated=True))
        self.outbox.reseal(ticket, envelope=envelope, memo=again, due_s=now_s)
        return True

    def end(self, delivery: Delivery) -> None:
        """Store the one answer of a question.

        Raises:
            UnknownTicketError: it has an answer already.
        """
        self.outbox.end(delivery.ticket, self.safe.seal_ending(delivery))

    def keep(self, delivery: Delivery) -> None:
        """Store an answer that no output took and that was no question.

        Raises:
            OutboxFullError: no room.
        """
        ending = self.safe.seal_ending(delivery)
        self.outbox.put_ended(delivery.ticket, ending, due_s=self.now_s() + _SOON_S)

    def ending(self, ticket: UUID) -> Delivery:
        """An answer that is still to be delivered.

        Raises:
            UnknownTicketError: there is none.
            StoreError: the stored row was altered.
        """
        return self.safe.open_ending(ticket, self.outbox.ending(ticket))

    def postpone_delivery(self, ticket: UUID) -> None:
        """No output took the answer; try again soon."""
        self.outbox.postpone(ticket, self.now_s() + _SOON_S)

    def _seal(
        self, ticket: UUID, question: bytes, deadline_s: float, offset_s: float
    ) -> tuple[bytes, ReplyKey]:
        now_s = self.now_s()
        # A clock before the keys were made is wrong: a board without a battery starts in 1970. The
        # worker then tells its own.
        created_s = max(now_s + offset_s, self.credentials.bundle.made_s)
        pool_key = self.credentials.bundle.best_key(self.suites, created_s)
        header = Header(
            suite=pool_key.suite,
            pool_key=pool_key.name,
            device_key=signing_key_name(self.credentials.signing_key.public_key()),
            ticket=ticket,
            created_s=int(created_s),
            expires_s=int(created_s + deadline_s - now_s) + 1,
        )
        return seal_question(
            question,
            route=self.route,
            pool_key=pool_key,
            device_key=self.credentials.signing_key,
            header=header,
        )
