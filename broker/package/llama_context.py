"""The memory of one conversation with a GGUF model."""

import ctypes
import re
from collections.abc import Callable, Sequence
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
        late: A C string; the model stops when it is no longer empty.

    Raises:
        EngineError: there is no room for it.
    """

    def __init__(
        self,
        weights: Weights,
        *,
        tokens: int,
        threads: int,
        late: ctypes.c_void_p | None = None,
    ) -> None:
        self._size = weights.size
        self._logits = np.empty(0, dtype=np.float32)  # llama.cpp's own buffer, once it has one
        self._held: list[int] = []  # tokens that are in its memory
        self.reused_tokens = 0  # that did not need to be read again
        self._logits_at = 0
        self._one = (library.llama_token * 1)()
        self._batch_of_one = library.llama_batch_get_one(self._one, 1)
        wanted = library.llama_context_default_params()
        wanted.n_ctx, wanted.n_seq_max = tokens, 1
        self._start = weights.start_token()
        # An encoder reads all of its input at once.
        most = tokens if self._start is not None else min(tokens, _BATCH)
        wanted.n_batch = wanted.n_ubatch = most
        wanted.n_outputs_max = 1  # the last token's logits are all that is read
        wanted.n_threads = wanted.n_threads_batch = threads
        wanted.no_perf = True
        LOG.listen()
        self.handle = library.llama_init_from_model(weights.model, wanted)
        if not self.handle:
            raise EngineError(f"{weights.path} has no room to run. It says: {LOG.errors()}")
        self.working_bytes = _working_bytes()
        self._memory = library.llama_get_memory(self.handle)
        if late is None:
            return
        # Asked hundreds of times for each token: so C asks C, and Python only sets the byte.
        stop = ctypes.cast(ctypes.CDLL(None).strlen, library.ggml_abort_callback)
        library.llama_set_abort_callback(self.handle, stop, late)

    def close(self) -> None:
        """Give the memory back."""
        library.llama_free(self.handle)

    def attach(self, adapter: Any | None) -> None:  # noqa: ANN401 - llama.cpp's own handle
        """Use an adapter from now on, or none. What was read with another is forgotten."""
        count = 0 if adapter is None else 1
        handles = (library.llama_adapter_lora_p_ctypes * count)(*([adapter] * count))
        scales = (ctypes.c_float * count)(*([1.0] * count))
        if library.llama_set_adapters_lora(self.handle, handles, count, scales) != 0:
            raise EngineError("llama.cpp cannot attach the adapter")
        library.llama_memory_clear(self._memory, True)  # noqa: FBT003 - C
        self._held = []

    def read(self, prompt: Sequence[int]) -> Logits:
        """Read a prompt; what it has in common with the last one, at its start, is kept.

        Raises:
            TooLateError: the deadline passed.
            EngineError: llama.cpp failed.
        """
        if self._start is not None:
            return self._encoded(prompt, self._start)
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
            self._decode(library.llama_batch_get_one(there, len(part)))
            self._held += part
        return self._what_follows()

    def follow_one(self, token: int) -> Logits:
        """Read one token on; as `follow`, and faster."""
        self._one[0] = token
        self._decode(self._batch_of_one)
        self._held.append(token)
        return self._what_follows()

    def _encoded(self, prompt: Sequence[int], start: int) -> Logits:
        """Let an encoder read the prompt, and a decoder begin to answer it."""
        library.llama_memory_clear(self._memory, True)  # noqa: FBT003 - C
        there = (library.llama_token * len(prompt))(*prompt)
        self._run(library.llama_encode, library.llama_batch_get_one(there, len(prompt)))
        return self.follow_one(start)

    def _decode(self, batch: Any) -> None:  # noqa: ANN401 - llama.cpp's own structure
        self._run(library.llama_decode, batch)

    def _run(self, step: Callable[..., int], batch: Any) -> None:  # noqa: ANN401 - as above
        code = step(self.handle, batch)
        if code == _ABORTED:
            raise TooLateError("the deadline passed while the model was thinking")
        if code != 0:
            raise EngineError(f"llama.cpp failed with code {code}: {LOG.errors()}")

    def _what_follows(self) -> Logits:
        found = library.llama_get_logits_ith(self.handle, -1)
        address = ctypes.addressof(found.contents)
        if address != self._logits_at:
            self._logits = np.ctypeslib.as_array(found, (self._size,))
            self._logits_at = address
        return self._logits


def _working_bytes() -> int:
    found = [float(size) for size in _WORKING.findall(LOG.text())]
    return int(sum(found or [_UNKNOWN_MIB]) * (1 << 20))
