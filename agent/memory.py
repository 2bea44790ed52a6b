"""Memory that a process used in order to start, given back to the system."""

import ctypes
import gc


def give_back() -> None:
    """Return what starting up used and nobody needs: parsed files, compiled sources."""
    gc.collect()
    gc.freeze()  # what is left lives as long as the process: do not look at it again
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it, musl does not
    if trim is not None:
        trim(0)
