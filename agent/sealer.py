"""Seals a question to the pool's key of now, by a clock that may be off."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from agent.store.keyring import Keyring
from broker.wire.credentials import DeviceCredentials
from broker.wire.envelope import Header, ReplyKey, seal_question
from broker.wire.errors import KeyFileError
from broker.wire.keys import PoolPublicKey, signing_key_name
from broker.wire.topics import Route


@dataclass(frozen=True, slots=True)
class Seal:
    """A question in its envelope, the key to its replies, and the name of the pool's key."""

    envelope: bytes = field(repr=False)
    reply_key: ReplyKey
    pool_key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealer:
    """The keys that a question is sealed and signed with."""

    credentials: DeviceCredentials
    keyring: Keyring
    wall_s: Callable[[], float]  # the machine's clock, Unix time, seconds

    @property
    def route(self) -> Route:
        """Where questions go and replies come from."""
        return Route(self.credentials.fleet, self.credentials.pool, self.credentials.device)

    def time_s(self, offset_s: float) -> float:
        """Now, if our clock is off by so much."""
        # A clock before the keys were made is wrong: a board without a battery starts in 1970. The
        # worker then tells its own.
        return max(self.wall_s() + offset_s, self.keyring.made_s)

    def key(self, offset_s: float) -> PoolPublicKey:
        """The pool's key of now, if our clock is off by so much.

        Raises:
            KeyFileError: no key is valid then.
        """
        return self.keyring.best_key(self.time_s(offset_s))

    def has_key(self, offset_s: float) -> bool:
        """Whether there is a key of now, if our clock is off by so much."""
        try:
            self.key(offset_s)
        except KeyFileError:
            return False
        return True

    def seal(self, ticket: UUID, question: bytes, *, wait_s: float, offset_s: float) -> Seal:
        """Seal a question that waits for `wait_s` from now.

        Raises:
            KeyFileError: no key is valid now.
            EnvelopeError: the question is too long for one message.
        """
        created_s, pool_key = self.time_s(offset_s), self.key(offset_s)
        signing_key = self.credentials.signing_key
        header = Header(
            suite=pool_key.suite,
            pool_key=pool_key.name,
            device_key=signing_key_name(signing_key.public_key()),
            ticket=ticket,
            created_s=int(created_s),
            expires_s=int(created_s + wait_s) + 1,
        )
        envelope, reply_key = seal_question(
            question, route=self.route, pool_key=pool_key, device_key=signing_key, header=header
        )
        return Seal(envelope, reply_key, pool_key.name)
