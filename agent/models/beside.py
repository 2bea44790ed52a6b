"""Where the engine child runs: on the processor of who asks, since that one waits meanwhile.

Left alone, Linux wakes the child on a processor that is idle, hence asleep, and waking that takes
longer than the rest of the exchange, in a virtual machine above all. What either wrote is also not
in the other's cache. The figures: agent/models/README.md.
"""

import ctypes
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

_PROCESSORS = Path("/sys/devices/system/cpu")

_log = logging.getLogger(__name__)
_here = ctypes.CDLL(None).sched_getcpu  # os has it from Python 3.13 on


@contextmanager
def beside(pid: int) -> Iterator[None]:
    """Keep a process of one thread, and the calling thread, on the processor where the caller is.

    The caller may go where it could before when the block ends; the process stays until the next
    one. Where processors are not alike, or the system forbids it, the kernel places both.
    """
    allowed = os.sched_getaffinity(0)
    if len(allowed) == 1 or not alike():
        yield
        return
    kept = _keep({_here()}, pid)
    try:
        yield
    finally:
        if kept:
            os.sched_setaffinity(0, allowed)


def _keep(processor: set[int], pid: int) -> bool:
    try:
        os.sched_setaffinity(0, processor)
        os.sched_setaffinity(pid, processor)
    except ProcessLookupError:  # it ended; who writes to it next finds out
        return True
    except OSError as error:
        _forbidden(str(error))
        return False
    return True


@cache
def _forbidden(why: str) -> None:
    _log.info("the engine child cannot be kept on one processor with the agent: %s", why)


@cache
def alike(processors: Path = _PROCESSORS) -> bool:
    """Whether all processors are of one kind; boards with large and small ones say so."""
    capacities = {file.read_text("ascii") for file in processors.glob("cpu[0-9]*/cpu_capacity")}
    return len(capacities) <= 1
