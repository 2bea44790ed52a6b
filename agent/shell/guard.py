"""Whatever goes wrong with one thing, the agent goes on with the next.

Two things are not of that kind, and end it, so that whoever started it starts it anew: memory that
it cannot get, and a thread that fails. What it has noted is on the disk.
"""

import logging
import os
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Callable

from agent.store.errors import OutboxFullError

_ENOUGH_BYTES = 4_194_304  # to go on with

_log = logging.getLogger(__name__)


def guarded(action: Callable[[], None], counters: Counter[str]) -> None:
    """Do it; what it raises is counted, and logged without what it may hold.

    Raises:
        MemoryError: the next thing would fail too.
    """
    short = False
    try:
        action()
    except OutboxFullError as error:  # what could not be noted is done again when there is room
        counters["outbox_full"] += 1
        _log.warning("%s", error)
    except Exception as error:  # noqa: BLE001 - one question must not end all others
        counters["unexpected_errors"] += 1
        short = isinstance(error, MemoryError)
        # Where it was, without its message, which may hold what was asked.
        trace = "".join(traceback.format_tb(error.__traceback__))
        if_any = ", if memory is left" if short else ""
        _log.error("%s; the agent goes on%s\n%s", type(error).__name__, if_any, trace)
    if short:  # what it held is free by now: it was one thing that was too large, or there is none
        bytes(_ENOUGH_BYTES)


def no_thread_fails_alone() -> None:
    """From now on a thread that fails ends the process."""
    threading.excepthook = _end


def _end(failed: threading.ExceptHookArgs) -> None:
    if issubclass(failed.exc_type, SystemExit):
        return
    try:
        trace = "".join(traceback.format_tb(failed.exc_traceback))
        name = failed.thread.name if failed.thread else "?"
        _log.error("%s in thread %s; the agent ends\n%s", failed.exc_type.__name__, name, trace)
        sys.stderr.flush()
    finally:
        os._exit(1)
