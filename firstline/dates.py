"""Times, for people."""

from datetime import UTC, datetime


def day(time_s: float) -> str:
    """A day of UTC, such as 2026-11-21."""
    return datetime.fromtimestamp(time_s, UTC).date().isoformat()
