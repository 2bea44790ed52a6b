"""Versions that only rise, over restarts: which signed document was the newest that we saw."""

import hashlib
from dataclasses import dataclass

from broker.wire.errors import KeyFileError


@dataclass(frozen=True, slots=True)
class Floor:
    """The newest version of a signed document, and the SHA-256 of its text."""

    version: int
    digest: bytes

    @classmethod
    def of(cls, version: int, document: str) -> "Floor":
        """The floor that a document sets."""
        return cls(version, hashlib.sha256(document.encode()).digest())

    def check(self, label: str, offered: "Floor") -> None:
        """Refuse what may not take the place of what we have.

        Raises:
            KeyFileError: it is older, or has the same version and says something else.
        """
        if offered.version < self.version:
            raise KeyFileError(f"this {label} is version {offered.version} after {self.version}")
        if offered.version == self.version and offered.digest != self.digest:
            raise KeyFileError(f"there are two {label}s of version {self.version}; the first stays")


NOTHING_SEEN = Floor(0, b"")
