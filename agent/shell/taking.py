"""Takes out of the loop's queue what belongs together."""

from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Final, TypeVar

_TOGETHER: Final = 64  # events handled at a time: their answers wait for the disk once

_Event = TypeVar("_Event")


def take(queue: SimpleQueue[_Event], wait_s: float, last: type) -> list[_Event]:
    """What there is; nothing if nothing comes in time. One of `last` ends it: it takes long."""
    events: list[_Event] = []
    with suppress(Empty):
        event = queue.get(timeout=wait_s) if wait_s > 0 else queue.get_nowait()
        events.append(event)
        while len(events) < _TOGETHER and not isinstance(events[-1], last):
            events.append(queue.get_nowait())
    return events
