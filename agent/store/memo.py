"""What the device must remember to finish a question it has sent away.

Sealed with the device's storage key and bound to the ticket and to its use, so a stolen card
tells nothing and a row copied to another ticket does not open.
"""

import json
import os
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from agent.core.pseudonyms import Past, Pseudonym
from agent.stages import Asked, Delivery, Draft, Origin, Vault
from agent.store.errors import StoreError
from broker.wire.envelope import ReplyKey

_NONCE_BYTES = 12
_LENGTH_BYTES = 4
_CONVERSATION = b"fl/v1 conversation\0"


@dataclass(frozen=True, slots=True)
class Memo:
    """The question with its vault and the draft to fall back on, and the key to its reply."""

    asked: Asked
    reply_key: ReplyKey
    question: bytes = field(repr=False)  # masked, to seal it again if our clock was wrong
    pool_key: bytes  # its name, 8 bytes
    redated: bool = False  # it has been sealed again for a date once
    earlier: tuple[ReplyKey, ...] = ()  # open an answer to an earlier seal, newest last


class Safe:
    """Seals what the device keeps on disk.

    Args:
        key: 32 bytes, the device's storage key.
    """

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal_memo(self, memo: Memo) -> bytes:
        """Seal a memo to its ticket."""
        asked = memo.asked
        fields = {
            "task": asked.task,
            "source": asked.source,
            "started_s": asked.started_s,
            "vault": dict(asked.vault.originals),
            "draft": _draft_fields(asked.draft),
            "confidence": asked.confidence,
            "flags": asked.flags,
            "explored": asked.explored,
            "secret": memo.reply_key.secret.hex(),
            "bound": memo.reply_key.bound.hex(),
            "pool_key": memo.pool_key.hex(),
            "redated": memo.redated,
            "earlier": [(key.secret.hex(), key.bound.hex()) for key in memo.earlier],
        }
        text = json.dumps(fields).encode()
        plain = len(text).to_bytes(_LENGTH_BYTES, "big") + text + memo.question
        return self._seal(plain, _place("memo", asked.ticket))

    def open_memo(self, ticket: UUID, sealed: bytes) -> Memo:
        """Open a memo.

        Raises:
            StoreError: altered, of another ticket, or sealed by another device.
        """
        plain = self._open(sealed, _place("memo", ticket))
        end = _LENGTH_BYTES + int.from_bytes(plain[:_LENGTH_BYTES], "big")
        fields = json.loads(plain[_LENGTH_BYTES:end])
        asked = Asked(
            ticket=ticket,
            task=fields["task"],
            source=fields["source"],
            started_s=fields["started_s"],
            vault=Vault(fields["vault"]),
            draft=Draft(**fields["draft"]),
            confidence=fields["confidence"],
            flags=tuple(fields["flags"]),
            explored=fields.get("explored", False),  # a row of an earlier version
        )
        return Memo(
            asked,
            _reply_key(fields["secret"], fields["bound"]),
            question=plain[end:],
            pool_key=bytes.fromhex(fields.get("pool_key", "")),
            redated=fields["redated"],
            earlier=tuple(_reply_key(*key) for key in fields.get("earlier", ())),
        )

    def seal_ending(self, delivery: Delivery) -> bytes:
        """Seal an answer to its ticket."""
        # By hand: dataclasses.asdict copies deeply and took longer than the encryption.
        fields = {name: getattr(delivery, name) for name in Delivery.__slots__}
        fields["ticket"] = str(delivery.ticket)
        return self._seal(json.dumps(fields).encode(), _place("ending", delivery.ticket))

    def open_ending(self, ticket: UUID, sealed: bytes) -> Delivery:
        """Open an answer.

        Raises:
            StoreError: altered, of another ticket, or sealed by another device.
        """
        fields = json.loads(self._open(sealed, _place("ending", ticket)))
        fields |= {
            "ticket": UUID(fields["ticket"]),
            "origin": Origin(fields["origin"]),
            "flags": tuple(fields["flags"]),
        }
        return Delivery(**fields)

    def seal_past(self, name: bytes, past: Past) -> bytes:
        """Seal what a conversation has given to the conversation's hashed name."""
        given = [(each.label, each.value, each.name) for each in past.given]
        text = json.dumps({"given": given, "counts": dict(past.counts)})
        return self._seal(text.encode(), _CONVERSATION + name)

    def open_past(self, name: bytes, sealed: bytes) -> Past:
        """Open what a conversation has given.

        Raises:
            StoreError: altered, of another conversation, or sealed by another device.
        """
        fields = json.loads(self._open(sealed, _CONVERSATION + name))
        return Past(tuple(Pseudonym(*each) for each in fields["given"]), fields["counts"])

    def _seal(self, plain: bytes, place: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, place)

    def _open(self, sealed: bytes, place: bytes) -> bytes:
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place)
        except (InvalidTag, ValueError):
            raise StoreError("a stored row does not open with this device's key") from None


def _reply_key(secret: str, bound: str) -> ReplyKey:
    return ReplyKey(bytes.fromhex(secret), bytes.fromhex(bound))


def _draft_fields(draft: Draft) -> dict[str, object]:
    return {name: getattr(draft, name) for name in Draft.__slots__}


def _place(use: str, ticket: UUID) -> bytes:
    return f"fl/v1 {use}\0{ticket}".encode()
