"""SIGTERM and SIGINT end a service cleanly: they are an order, not an error."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_ORDERS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def on_stop(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` when the process is asked to end; it must only set a flag or fill a queue."""

    def asked(_number: int, _frame: FrameType | None) -> None:
        stop()

    before = {order: signal.signal(order, asked) for order in _ORDERS}
    try:
        yield
    finally:
        for order, handler in before.items():
            signal.signal(order, handler)
