"""What every engine offers, so that nobody else needs to know which one runs a package."""

from dataclasses import dataclass, field
from typing import Protocol

from broker.package.manifest import Manifest
from broker.wire.payload import Payload


@dataclass(frozen=True, slots=True)
class Found:
    """What a model says of one payload."""

    answer: str = field(repr=False)  # a label, a number, or text
    score: float  # in [0, 1]: how sure the model is; not yet a chance of being right
    truncated: bool = False  # it saw only the beginning of the input, or was cut short itself
    out_of_scope: bool = False  # the model was not made for it: ask somebody else
    outside: float = 0.0  # in [0, 1]: how much speaks for out of scope, not yet a decision
    tokens: tuple[int, int] | None = field(default=None, compare=False)  # read, written; if any


class PackageModel(Protocol):
    """A loaded package. Use from one thread."""

    @property
    def manifest(self) -> Manifest:
        """What the package says of itself."""

    def answer(self, payload: Payload, domain: str, *, deadline_s: float | None = None) -> Found:
        """Answer one question; `deadline_s` is monotonic time, after which nobody waits.

        Raises:
            InputMismatchError: the payload is not what the model takes.
            TooLateError: the deadline passed first.
            EngineError: the model cannot run it.
        """

    def close(self) -> None:
        """Give the memory back."""
