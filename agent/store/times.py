"""When each waiting question is sent again. In memory: sending wears out no card.

A question that is not here is due, so after a restart all that wait are.
"""

from dataclasses import dataclass


@dataclass(slots=True)
class _Rest:
    until_s: float
    attempts: int = 0  # how often it was published


class Times:
    """What is known of those that were published, or told to come back later."""

    def __init__(self) -> None:
        self._rests: dict[bytes, _Rest] = {}

    def attempts(self, ticket: bytes) -> int:
        """How often it was published, as far as we remember."""
        rest = self._rests.get(ticket)
        return rest.attempts if rest else 0

    def until_s(self, ticket: bytes) -> float:
        """When it is due; 0 if it rests not."""
        rest = self._rests.get(ticket)
        return rest.until_s if rest else 0.0

    def is_due(self, ticket: bytes, now_s: float) -> bool:
        """Whether it need not wait any longer."""
        return self.until_s(ticket) <= now_s

    def published(self, ticket: bytes, until_s: float) -> None:
        """It was published, and rests until then."""
        rest = self._rests.setdefault(ticket, _Rest(until_s))
        rest.until_s = until_s
        rest.attempts += 1

    def postpone(self, ticket: bytes, until_s: float) -> None:
        """It rests until then."""
        self._rests.setdefault(ticket, _Rest(until_s)).until_s = until_s

    def hold(self, ticket: bytes, until_s: float) -> None:
        """It was never published, and rests until then."""
        self._rests[ticket] = _Rest(until_s)

    def hurry(self, now_s: float) -> None:
        """What was published rests no longer."""
        for rest in self._rests.values():
            if rest.attempts:
                rest.until_s = min(rest.until_s, now_s)

    def release(self, now_s: float) -> None:
        """What was never published rests no longer."""
        for rest in self._rests.values():
            if not rest.attempts:
                rest.until_s = min(rest.until_s, now_s)

    def forget(self, ticket: bytes) -> None:
        """It waits no more, or was never published."""
        self._rests.pop(ticket, None)
