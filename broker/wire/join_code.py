"""The join code: what an operator reads out and a board's keeper types in, and the keys in it.

    4F7K-9QXM-2B0T-HWZC        15 random characters and one that finds mistakes
        |
      scrypt (salt = fleet)    so that guessing costs 16 MiB and tens of milliseconds a code
        |
      HKDF-SHA256              id, password at the broker, key of the request, key of the answer

The characters are Crockford's: no I, L, O or U, and who types them anyway is understood.
"""

import secrets
from dataclasses import dataclass, field
from typing import Final, Self

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from broker.wire.topics import FleetId

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ALIKE: Final = str.maketrans("ILO", "110", "- \t\r\n")
_RANDOM_CHARACTERS: Final = 15  # 75 bits
_GROUP: Final = 4
_SCRYPT_N: Final = 2**14  # 16 MiB: a board with 512 MiB does it in a fraction of a second
_SECRET_BYTES: Final = 32
_ID_BYTES: Final = 16
_SALT: Final = b"fl/v1 join code\0"
_INFO: Final = b"fl/v1 join\0"


@dataclass(frozen=True, slots=True)
class JoinSecret:
    """What a code opens. Whoever has it can join, and read the answer, until it is spent."""

    secret: bytes = field(repr=False)  # 32 bytes

    @property
    def id(self) -> str:
        """Names the invitation on the broker; tells nothing of the code."""
        return self._derive(b"id", _ID_BYTES).hex()

    @property
    def password(self) -> str:
        """What the board shows the broker instead of a certificate."""
        return self._derive(b"password", _SECRET_BYTES).hex()

    @property
    def request_key(self) -> bytes:
        """Seals the request, 32 bytes."""
        return self._derive(b"request", _SECRET_BYTES)

    @property
    def answer_key(self) -> bytes:
        """Seals the answer, 32 bytes."""
        return self._derive(b"answer", _SECRET_BYTES)

    def _derive(self, what: bytes, length: int) -> bytes:
        return HKDF(SHA256(), length, None, _INFO + what).derive(self.secret)


@dataclass(frozen=True, slots=True)
class JoinCode:
    """A code, as it is written without its hyphens."""

    text: str = field(repr=False)

    @classmethod
    def new(cls) -> Self:
        """Draw a code."""
        drawn = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_CHARACTERS))
        return cls(drawn + _check(drawn))

    @classmethod
    def parse(cls, typed: str) -> Self:
        """Read what somebody typed.

        Raises:
            ValueError: it cannot be a code; the message says why.
        """
        text = typed.upper().translate(_ALIKE)
        if len(text) != _RANDOM_CHARACTERS + 1:
            raise ValueError(
                f"a code has {_RANDOM_CHARACTERS + 1} characters, this has {len(text)}"
            )
        strange = sorted(set(text) - set(_ALPHABET))
        if strange:
            raise ValueError(f"no code has {' '.join(strange)} in it")
        if text[-1] != _check(text[:-1]):
            raise ValueError("mistyped: its last character does not fit the others")
        return cls(text)

    def shown(self) -> str:
        """The code for a person."""
        return "-".join(
            self.text[start : start + _GROUP] for start in range(0, len(self.text), _GROUP)
        )

    def secret(self, fleet: FleetId) -> JoinSecret:
        """What this code opens in a fleet."""
        salt = _SALT + fleet.encode()
        stretched = Scrypt(salt=salt, length=_SECRET_BYTES, n=_SCRYPT_N, r=8, p=1)
        return JoinSecret(stretched.derive(self.text.encode()))


def _check(text: str) -> str:
    """Luhn's check character, modulo 32: finds a wrong one, and nearly all that changed places."""
    total = 0
    for place, character in enumerate(reversed(text)):
        value = _ALPHABET.index(character) * (2 if place % 2 == 0 else 1)
        total += value // len(_ALPHABET) + value % len(_ALPHABET)
    return _ALPHABET[-total % len(_ALPHABET)]
