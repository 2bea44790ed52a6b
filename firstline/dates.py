"""Times, for people."""

from datetime import UTC, datetime


def day(time_s: float) -> str:
    """A day of UTC, such as 2026-11-21."""
    return datetime.fromtimestamp(time_s, UTC).date().isoformat()


def minute(time_s: float) -> str:
    """A minute of UTC, such as 2026-11-21 19:51."""
    return f"{datetime.fromtimestamp(time_s, UTC):%Y-%m-%d %H:%M}"
