"""How long a server asks us to wait (RFC 9110, section 10.2.3)."""

import time
from datetime import UTC
from email.utils import parsedate_to_datetime

_LONGEST_S = 3600.0  # `broker.wire.messages`: what a device can be told


def retry_after_s(header: str | None, *, now_s: float | None = None) -> float:
    """Seconds to wait, in [0, 3600]; 0 where the header is missing or makes no sense.

    `now_s` is Unix time, for the form with a date.
    """
    if header is None:
        return 0.0
    text = header.strip()
    if text.isascii() and text.isdigit():
        return _LONGEST_S if len(text) > len("3600") else min(float(text), _LONGEST_S)
    try:
        date = parsedate_to_datetime(text)
        due_s = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError):
        return 0.0
    return min(max(0.0, due_s - (time.time() if now_s is None else now_s)), _LONGEST_S)
