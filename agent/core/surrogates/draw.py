"""A stream of choices that a key and a value decide: the same ones give the same stream."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

_T = TypeVar("_T")
_BYTES = 8  # of a choice: enough that no choice is favoured
_KEY_BYTES = 64  # BLAKE2b takes no longer key
_UPPER = "ABCDEFGHJKLMNPRSTUVWXYZ"  # without I, O and Q, which vehicle and serial numbers lack
_LOWER = _UPPER.lower()


class Draw:
    """Draws.

    Args:
        key: Secret; who has it and the value knows the surrogate.
        what: The value, and what it is to become.
    """

    def __init__(self, key: bytes, *what: str) -> None:
        self._key = key[:_KEY_BYTES]
        self._what = "\0".join(what).encode(errors="surrogatepass")
        self._count = 0

    def below(self, limit: int) -> int:
        """Draw a number in [0, limit)."""
        self._count += 1
        told = self._count.to_bytes(_BYTES, "big") + self._what
        digest = hashlib.blake2b(told, key=self._key, digest_size=_BYTES).digest()
        return int.from_bytes(digest, "big") % limit

    def pick(self, choices: Sequence[_T]) -> _T:
        """Draw one of them."""
        return choices[self.below(len(choices))]

    def digits(self, count: int) -> str:
        """Draw digits."""
        return "".join(str(self.below(10)) for _ in range(count))

    def like(self, value: str) -> str:
        """Draw a digit for each digit and a letter for each letter; the rest stays."""
        letters = (self._letter(char) if char.isalpha() else char for char in value)
        return self.digits_like("".join(letters))

    def digits_like(self, value: str) -> str:
        """Draw a digit for each digit; a number that begins with no zero goes on to do so."""
        before = f" {value}"
        return "".join(
            self._digit(char, before[place]) if char.isdecimal() else char
            for place, char in enumerate(value)
        )

    def _digit(self, char: str, before: str) -> str:
        first = char != "0" and not before.isdecimal()
        return str(1 + self.below(9) if first else self.below(10))

    def _letter(self, char: str) -> str:
        return self.pick(_UPPER if char.isupper() else _LOWER)


def fill(shape: str, chars: str) -> str:
    """Write letters and digits in the places that a shape has them, with its separators."""
    rest = iter(chars)
    return "".join(next(rest, char) if char.isalnum() else char for char in shape)
