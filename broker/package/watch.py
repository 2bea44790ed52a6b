"""Stops a model at a deadline, from beside it.

    watch.until(deadline_s): [ decode ... flag is true -> abort callback ] -> TooLateError

The flag is a byte that the engine's abort callback reads in C, hundreds of times for each token. A
thread raises it; it looks at the clock now and then while questions come, and sleeps when none do.
"""

import ctypes
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Final

_TICK_S: Final = 0.02
_AWAKE_TICKS: Final = 50  # without a question; then it sleeps until the next


class Watch:
    """The flag of one engine, and the thread that raises it. Use from one thread."""

    def __init__(self) -> None:
        self._flag = ctypes.create_string_buffer(2)
        self._deadline_s: float | None = None  # monotonic
        self._awake = Event()
        self._open = True
        self._thread = Thread(target=self._run, name="deadline", daemon=True)
        self._thread.start()

    @property
    def address(self) -> ctypes.c_void_p:
        """Where the flag is: a C string, empty until the deadline has passed."""
        return ctypes.cast(self._flag, ctypes.c_void_p)

    @contextmanager
    def until(self, deadline_s: float | None) -> Iterator[None]:
        """Have the flag raised at a monotonic time, if it comes before this ends."""
        late = deadline_s is not None and time.monotonic() >= deadline_s
        self._flag.value = b"x" if late else b""
        self._deadline_s = deadline_s
        if not self._awake.is_set():
            self._awake.set()
        try:
            yield
        finally:
            self._deadline_s = None

    def close(self) -> None:
        """End the thread."""
        self._open = False
        self._awake.set()
        self._thread.join()

    def _run(self) -> None:
        idle = 0
        while self._open:
            self._awake.wait()
            time.sleep(_TICK_S)
            deadline_s = self._deadline_s
            if deadline_s is None:
                idle += 1
                if idle >= _AWAKE_TICKS:
                    self._awake.clear()
                    if self._deadline_s is not None or not self._open:  # it came just now
                        self._awake.set()
            else:
                idle = 0
                if time.monotonic() >= deadline_s and self._deadline_s == deadline_s:
                    self._flag.value = b"x"
