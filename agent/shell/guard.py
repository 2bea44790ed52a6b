"""Whatever goes wrong with one thing, the agent goes on with the next."""

import logging
import traceback
from collections import Counter
from collections.abc import Callable

from agent.store.errors import OutboxFullError

_log = logging.getLogger(__name__)


def guarded(action: Callable[[], None], counters: Counter[str]) -> None:
    """Do it; what it raises is counted, and logged without what it may hold."""
    try:
        action()
    except OutboxFullError as error:  # what could not be noted is done again when there is room
        counters["outbox_full"] += 1
        _log.warning("%s", error)
    except Exception as error:  # noqa: BLE001 - one question must not end all others
        counters["unexpected_errors"] += 1
        # Where it was, without its message, which may hold what was asked.
        trace = "".join(traceback.format_tb(error.__traceback__))
        _log.error("%s; the agent goes on\n%s", type(error).__name__, trace)
