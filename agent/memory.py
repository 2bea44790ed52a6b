"""Who has to go when memory runs out, and memory that only a start needed, given back."""

import ctypes
import gc
from contextlib import suppress
from pathlib import Path

_FIRST_TO_GO = "800"  # of 1000; what a process has by itself is near 0. Anybody may raise it


def goes_first(pid: int) -> None:
    """Have the kernel end a process of ours before this one when memory runs out: proc(5).

    By whoever starts it, at once: until then it is as safe as the agent, which systemd shields.
    """
    with suppress(OSError):  # it has ended; or no /proc: the kernel then goes by size
        Path(f"/proc/{pid}/oom_score_adj").write_text(_FIRST_TO_GO, encoding="ascii")


def give_back() -> None:
    """Return what starting up used and nobody needs: parsed files, compiled sources."""
    gc.collect()
    gc.freeze()  # what is left lives as long as the process: do not look at it again
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it, musl does not
    if trim is not None:
        trim(0)
