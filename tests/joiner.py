"""A board without `firstline join`: real keys, asks to be let in."""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.fleet.certificates import new_key
from broker.wire.join_code import JoinSecret
from broker.wire.joining import Welcome, open_answer, seal_request


@dataclass(frozen=True, slots=True)
class Joiner:
    """One board, and the one request that it makes."""

    signing: Ed25519PrivateKey = field(repr=False)
    tls: EllipticCurvePrivateKey = field(repr=False)
    secret: JoinSecret
    wire: bytes = field(repr=False)

    def read(self, answer: bytes) -> Welcome:
        """Open an answer.

        Raises:
            EnvelopeError: it is none to this request.
            JoinRefusedError: this board is not let in.
        """
        return open_answer(answer, self.secret, self.wire)


def make_joiner(secret: JoinSecret) -> Joiner:
    """Make a board's keys, and its request."""
    signing, tls = Ed25519PrivateKey.generate(), new_key()
    return Joiner(signing, tls, secret, seal_request(secret, signing, tls))
