"""The post office: seals questions into the outbox, opens their replies.

put:    Asked + question --> envelope to the pool + memo to ourselves --> outbox
open:   reply + memo     --> Reply
fresh:  parcel + memo    --> the same, sealed again if its key is over

A waiting question is sealed again when no worker opens it as it is: its date is wrong, or the key
that it is sealed to is over. It stays the same question, and an answer to either seal counts.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from agent.dating import Dating
from agent.sealer import Seal, Sealer
from agent.stages import Asked, Delivery
from agent.store.errors import OutboxFullError, StoreError
from agent.store.keyring import Keyring
from agent.store.memo import Memo, Safe
from agent.store.outbox import NO_NUMBERS, Outbox, Parcel
from agent.store.schema import USUAL_RANK
from broker.wire.envelope import open_reply, parse
from broker.wire.errors import EnvelopeError, KeyFileError
from broker.wire.link import Message
from broker.wire.messages import Answer, Reply, load_reply
from broker.wire.stale import Stale, is_stale, open_stale
from broker.wire.topics import Route

_CLOCK_OFFSET = "clock_offset_s"  # worker's clock minus ours; boards have no battery clock
_SEALS_KEPT = 4  # whose answers still open
_SOON_S = 2.0  # an answer that could not be handed over is tried again after this


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What the device needs in order to write and to read sealed letters."""

    sealer: Sealer
    safe: Safe
    outbox: Outbox
    now_s: Callable[[], float]  # the device's own time, seconds
    resend_s: float  # a question without a reply is published again after this
    dating: Dating = field(default_factory=Dating)

    @property
    def route(self) -> Route:
        """Where questions go and replies come from."""
        return self.sealer.route

    @property
    def keyring(self) -> Keyring:
        """The pool's keys."""
        return self.sealer.keyring

    def put(
        self,
        asked: Asked,
        question: bytes,
        deadline_s: float,
        numbers: Mapping[str, float] = NO_NUMBERS,
        rank: int = USUAL_RANK,
    ) -> Parcel | None:
        """Seal a question into the outbox; None if its ticket is there already.

        Numbers to remember with it are there exactly if it is. The lowest rank is sent first.

        Raises:
            OutboxFullError: no room.
            KeyFileError: no key of the pool is valid now.
            EnvelopeError: the question is too long for one message.
        """
        offset_s = self.offset_s
        seal = self._seal(asked.ticket, question, deadline_s, offset_s)
        memo = self.safe.seal_memo(Memo(asked, seal.reply_key, question, seal.pool_key))
        parcel = Parcel(asked.ticket, seal.envelope, 1, deadline_s)
        due_s = self.now_s() + self.resend_s
        added = self.outbox.put(parcel, memo=memo, due_s=due_s, numbers=numbers, rank=rank)
        return parcel if added else None

    def memo(self, ticket: UUID) -> Memo:
        """What is known of a question that waits.

        Raises:
            UnknownTicketError: answered, expired, or never ours.
            StoreError: the stored row was altered.
        """
        return self.safe.open_memo(ticket, self.outbox.memo(ticket))

    def open(self, ticket: UUID, sealed: bytes) -> tuple[Memo, Reply | Stale]:
        """Open the reply to a question.

        Raises:
            WireError: not a reply that we can open and read.
            UnknownTicketError: a repeat, too late, or nothing we asked.
            StoreError: the stored row was altered.
        """
        memo = self.memo(ticket)
        if is_stale(sealed):
            notice_key = self.keyring.bundle.notice
            return memo, open_stale(sealed, bound=memo.reply_key.bound, notice_key=notice_key)
        try:
            return memo, load_reply(open_reply(sealed, memo.reply_key))
        except EnvelopeError:
            return memo, _answer_to_an_earlier_seal(sealed, memo)

    def redate(self, memo: Memo, cloud_s: float) -> bool:
        """Learn the worker's clock and seal the question again.

        False if that was done before, or if that clock is before the pool's keys were made or
        after their end: a worker whose own clock is broken must not keep this device from asking
        ever again.
        """
        if memo.redated or cloud_s < self.keyring.made_s:
            return False
        offset_s = cloud_s - self.sealer.wall_s()
        try:
            self._seal_again(replace(memo, redated=True), offset_s)
        except KeyFileError:
            return False
        self.outbox.remember(_CLOCK_OFFSET, offset_s)
        return True

    def rekey(self, memo: Memo, cloud_s: float) -> bool:
        """Seal a question again whose key the worker does not have.

        With our idea of the time, if that means another key; else with the worker's, which we then
        learn. False if it means the same key: the worker lacks it, and another may have it. False
        too once that was done so often that somebody only wears out the card.
        """
        if len(memo.earlier) >= _SEALS_KEPT:
            return False
        known_s = self.offset_s
        told_s = max(cloud_s, self.keyring.made_s) - self.sealer.wall_s()
        for offset_s in (known_s, told_s):
            try:
                if self.sealer.key(offset_s).name == memo.pool_key:
                    continue
                self._seal_again(memo, offset_s)
            except KeyFileError:
                continue
            if offset_s != known_s:
                self.outbox.remember(_CLOCK_OFFSET, offset_s)
            return True
        return False

    def fresh(self, parcel: Parcel) -> Parcel | None:
        """A parcel as a worker can open it: sealed again if its key is over.

        None if there is no key to seal it to, or no room for it.
        """
        now_s = self.sealer.time_s(self.offset_s)
        if self.keyring.opens(parse(parcel.envelope).header.pool_key, now_s):
            return parcel
        try:
            memo = self.memo(parcel.ticket)
            envelope = self._seal_again(memo, self.offset_s)
        except (KeyFileError, OutboxFullError):
            return None
        except StoreError:  # told when it ends: nothing can be done for it before
            return parcel
        return replace(parcel, envelope=envelope)

    def end(self, deliveries: Iterable[Delivery]) -> set[UUID]:
        """Store the one answer of each question; return those that had none before.

        Raises:
            OutboxFullError: the disk takes no more; nothing is stored.
        """
        return self.outbox.end({each.ticket: self.safe.seal_ending(each) for each in deliveries})

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

    def ask_date(self) -> Message:
        """A question that a worker answers with its clock, whatever ours says."""
        return self.dating.question(self.sealer)

    def learn_date(self, ticket: UUID, sealed: bytes) -> bool:
        """Take a worker's clock from the reply to `ask_date`; False: it is to another question.

        Raises:
            WireError: no worker of the pool said so.
            OutboxFullError: it cannot be noted.
        """
        if not self.dating.asked(ticket):
            return False
        cloud_s = self.dating.read(ticket, sealed, self.keyring)
        self.outbox.remember(_CLOCK_OFFSET, cloud_s - self.sealer.wall_s())
        return True

    @property
    def offset_s(self) -> float:
        """A worker's clock minus ours, seconds; 0: nobody told, or it leaves us without a key."""
        # Nobody would hear us then, and nobody could tell us better.
        told_s = self.outbox.number(_CLOCK_OFFSET)
        own_is_better = told_s and self.sealer.has_key(0.0) and not self.sealer.has_key(told_s)
        return 0.0 if own_is_better else told_s

    def _seal_again(self, memo: Memo, offset_s: float) -> bytes:
        ticket = memo.asked.ticket
        seal = self._seal(ticket, memo.question, self.outbox.deadline_s(ticket), offset_s)
        again = replace(
            memo,
            reply_key=seal.reply_key,
            pool_key=seal.pool_key,
            earlier=(*memo.earlier, memo.reply_key)[-_SEALS_KEPT:],
        )
        sealed = self.safe.seal_memo(again)
        self.outbox.reseal(ticket, envelope=seal.envelope, memo=sealed, due_s=self.now_s())
        return seal.envelope

    def _seal(self, ticket: UUID, question: bytes, deadline_s: float, offset_s: float) -> Seal:
        wait_s = deadline_s - self.now_s()
        return self.sealer.seal(ticket, question, wait_s=wait_s, offset_s=offset_s)


def _answer_to_an_earlier_seal(sealed: bytes, memo: Memo) -> Answer:
    """What a worker took on before the question was sealed anew is its answer all the same.

    Raises:
        WireError: it is none. What else was said of an earlier seal has been obeyed already.
    """
    for key in reversed(memo.earlier):
        try:
            reply = load_reply(open_reply(sealed, key))
        except EnvelopeError:
            continue
        if isinstance(reply, Answer):
            return reply
    raise EnvelopeError("envelope does not open")
