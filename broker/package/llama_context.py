"""The memory of one conversation with a GGUF model, and the deadline that stops it."""

import ctypes
import re
import time
from collections.abc import Sequence
from threading import Timer
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from broker.package.errors import EngineError, TooLateError
from broker.package.gguf import Weights
from broker.package.llama_library import LOG, library

_ABORTED: Final = 2  # what llama_decode says when the abort callback was true
_BATCH: Final = 128  # tokens computed together: more take more memory and save no time
_WORKING: Final = re.compile(r"compute buffer size\s*=\s*([0-9.]+) MiB")
_UNKNOWN_MIB: Final = 64.0

Logits = NDArray[np.float32]  # (V,)


class Context:
    """The memory of one conversation with a model.

    Args:
        weights: The model.
        tokens: How many it remembers, prompt and answer together.
        threads: For one question.

    Raises:
        EngineError: there is no room for it.
    """

    def __init__(self, weights: Weights, *, tokens: int, threads: int) -> None:
        self._size = weights.size
        self._logits = np.empty(0, dtype=np.float32)  # llama.cpp's own buffer, once it has one
        self._held: list[int] = []  # tokens that are in its memory
        self.reused_tokens = 0  # that did not need to be read again
        self._late = ctypes.create_string_buffer(2)
        wanted = library.llama_context_default_params()
        wanted.n_ctx, wanted.n_seq_max = tokens, 1
        wanted.n_batch = wanted.n_ubatch = min(tokens, _BATCH)
        wanted.n_outputs_max = 1  # the last token's logits are all that is read
        wanted.n_threads = wanted.n_threads_batch = threads
        wanted.no_perf = True
        LOG.listen()
        self._context = library.llama_init_from_model(weights.model, wanted)
        if not self._context:
            raise EngineError(f"{weights.path} has no room to run. It says: {LOG.errors()}")
        self.working_bytes = _working_bytes()
        self._memory = library.llama_get_memory(self._context)
        # Called hundreds of times for each token: C calls C, and only a passed deadline calls us.
        stop = ctypes.cast(ctypes.CDLL(None).strlen, library.ggml_abort_callback)
        address = ctypes.cast(self._late, ctypes.c_void_p)
        library.llama_set_abort_callback(self._context, stop, address)

    def close(self) -> None:
        """Give the memory back."""
        library.llama_free(self._context)

    def attach(self, adapter: Any | None) -> None:  # noqa: ANN401 - llama.cpp's own handle
        """Use an adapter from now on, or none. What was read with another is forgotten."""
        count = 0 if adapter is None else 1
        handles = (library.llama_adapter_lora_p_ctypes * count)(*([adapter] * count))
        scales = (ctypes.c_float * count)(*([1.0] * count))
        if library.llama_set_adapters_lora(self._context, handles, count, scales) != 0:
            raise EngineError("llama.cpp cannot attach the adapter")
        library.llama_memory_clear(self._memory, True)  # noqa: FBT003 - C
        self._held = []

    def read(self, prompt: Sequence[int]) -> Logits:
        """Read a prompt; what it has in common with the last one, at its start, is kept.

        Raises:
            TooLateError: the deadline passed.
            EngineError: llama.cpp failed.
        """
        same = 0
        for kept, wanted in zip(self._held, prompt[:-1], strict=False):
            if kept != wanted:
                break
            same += 1
        if not library.llama_memory_seq_rm(self._memory, 0, same, -1):
            # Some kinds of model remember all or nothing.
            library.llama_memory_clear(self._memory, True)  # noqa: FBT003 - C
            same = 0
        del self._held[same:]
        self.reused_tokens += same
        return self.follow(prompt[same:])

    def follow(self, tokens: Sequence[int]) -> Logits:
        """Read on; give what may follow (V,), valid until the next call.

        Raises:
            TooLateError: the deadline passed.
            EngineError: llama.cpp failed.
        """
        for start in range(0, len(tokens), _BATCH):
            part = tokens[start : start + _BATCH]
            there = (library.llama_token * len(part))(*part)
            batch = library.llama_batch_get_one(there, len(part))
            code = int(library.llama_decode(self._context, batch))
            if code == _ABORTED:
                raise TooLateError("the deadline passed while the model was thinking")
            if code != 0:
                raise EngineError(f"llama.cpp failed with code {code}: {LOG.errors()}")
            self._held += part
        found = library.llama_get_logits_ith(self._context, -1)
        if ctypes.addressof(found.contents) != self._logits.ctypes.data:
            self._logits = np.ctypeslib.as_array(found, (self._size,))
        return self._logits

    def until(self, deadline_s: float | None) -> "Deadline":
        """Stop the model at a monotonic time."""
        return Deadline(self._late, deadline_s)


class Deadline:
    """While it is entered, a model is stopped when its time is over."""

    def __init__(self, late: "ctypes.Array[ctypes.c_char]", deadline_s: float | None) -> None:
        self._late, self._deadline_s = late, deadline_s
        self._timer: Timer | None = None

    def __enter__(self) -> None:
        self._late.value = b""
        if self._deadline_s is not None:
            self._timer = Timer(self._deadline_s - time.monotonic(), self._pass)
            self._timer.daemon = True
            self._timer.start()

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _pass(self) -> None:
        self._late.value = b"x"  # strlen() of it is now 1, which the abort callback takes for true


def _working_bytes() -> int:
    found = [float(size) for size in _WORKING.findall(LOG.text())]
    return int(sum(found or [_UNKNOWN_MIB]) * (1 << 20))
