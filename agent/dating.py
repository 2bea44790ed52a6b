"""Asks a worker of the pool what time it is, for a board that cannot tell by itself.

A question of 1970, with nothing in it: no worker takes that on, and each one answers at once with
its own clock. If the question's key is there still, that answer is sealed; if it is gone, it is
signed by the pool and bound to this very question. Nobody else can give it.
"""

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID, uuid4

from agent.sealer import Sealer
from agent.store.keyring import Keyring
from broker.wire.envelope import Header, ReplyKey, open_reply, seal_question
from broker.wire.errors import MessageError
from broker.wire.keys import signing_key_name
from broker.wire.link import Message
from broker.wire.messages import WrongDate, load_reply
from broker.wire.stale import is_stale, open_stale

_CREATED_S: Final = 0  # Unix time: no worker is so far behind
_LIFE_S: Final = 60
_MOST: Final = 4  # that wait for an answer: an earlier one may still come


@dataclass(slots=True)
class Dating:
    """Questions for the date that have no answer. They are lost with the agent, and asked again."""

    _waiting: dict[UUID, ReplyKey] = field(default_factory=dict)

    def question(self, sealer: Sealer) -> Message:
        """A question for the date.

        Raises:
            KeyFileError: there is no key of the pool to seal it to.
        """
        # Whatever our clock says: with a key that the pool had once, some worker knows what to do.
        pool_key = sealer.keyring.best_key(sealer.keyring.made_s)
        signing_key = sealer.credentials.signing_key
        ticket = uuid4()
        header = Header(
            suite=pool_key.suite,
            pool_key=pool_key.name,
            device_key=signing_key_name(signing_key.public_key()),
            ticket=ticket,
            created_s=_CREATED_S,
            expires_s=_CREATED_S + _LIFE_S,
        )
        envelope, reply_key = seal_question(
            b"", route=sealer.route, pool_key=pool_key, device_key=signing_key, header=header
        )
        self._waiting[ticket] = reply_key
        while len(self._waiting) > _MOST:
            del self._waiting[next(iter(self._waiting))]
        return Message(
            sealer.route.ask,
            envelope,
            correlation=ticket.bytes,
            answer_topic=sealer.route.answer,
            expiry_s=_LIFE_S,
        )

    def asked(self, ticket: UUID) -> bool:
        """Whether a reply with this ticket is for us."""
        return ticket in self._waiting

    def read(self, ticket: UUID, sealed: bytes, keyring: Keyring) -> int:
        """The worker's clock, Unix time.

        Raises:
            WireError: no worker of the pool answered this, or it said something else.
        """
        key = self._waiting[ticket]
        if is_stale(sealed):
            told = open_stale(sealed, bound=key.bound, notice_key=keyring.bundle.notice)
            now_s = told.now_s
        else:
            reply = load_reply(open_reply(sealed, key))
            if not isinstance(reply, WrongDate):
                raise MessageError("not the date")
            now_s = reply.now_s
        if now_s < keyring.made_s:
            raise MessageError("a date before the pool's keys")
        del self._waiting[ticket]
        return now_s
