"""Which tokens may come next: a GBNF grammar, applied by llama.cpp.

logits (V,) --best--> the likeliest token that the grammar admits
"""

import ctypes
import json
import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from broker.package.errors import ManifestError
from broker.package.gguf import Weights
from broker.package.llama_context import Logits
from broker.package.llama_library import LOG, library

_ROW: Final = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])


class Grammar:
    """The state of one answer; `reset` it for the next.

    Raises:
        ManifestError: llama.cpp cannot read the grammar.
    """

    def __init__(self, weights: Weights, rules: str, source: str) -> None:
        LOG.listen()
        self._sampler = library.llama_sampler_init_grammar(
            weights.vocabulary, rules.encode(), b"root"
        )
        if not self._sampler:
            raise ManifestError(f"{source} is no grammar that llama.cpp can use: {LOG.errors()}")
        self._all = np.zeros(weights.size, dtype=_ROW)
        self._all["id"] = np.arange(weights.size)
        self._all_array = _array(self._all.ctypes.data_as(library.llama_token_data_p), weights.size)
        self._one = library.llama_token_data(0, 0.0, 0.0)
        self._one_array = _array(ctypes.pointer(self._one), 1)
        self._weights = weights
        self._end = weights.end_token()
        self._starts: Any = None  # what may follow wherever anything may; made when first needed

    def close(self) -> None:
        """Give the memory back."""
        library.llama_sampler_free(self._sampler)

    def reset(self) -> None:
        """Begin a new answer."""
        library.llama_sampler_reset(self._sampler)

    def best(self, logits: Logits, token: int) -> int:
        """Give the likeliest token that may come next; `token` is the likeliest of all."""
        self._one.id, self._one.logit = token, logits[token]
        library.llama_sampler_apply(self._sampler, self._one_array)
        if self._one.logit > -math.inf:  # most often: a model that has learned the form
            return token
        return self._best_of_all(logits)

    def share(self, logits: Logits) -> tuple[int, float]:
        """Give the likeliest token that may come next, and its chance among those."""
        token = self._best_of_all(logits)
        powers = np.exp(self._all["logit"] - self._all["logit"][token])
        return token, float(1.0 / powers.sum())

    def accept(self, token: int) -> None:
        """Go on after a token that `best` gave."""
        library.llama_sampler_accept(self._sampler, token)

    def is_over(self) -> bool:
        """Whether nothing but the end may come: then the model need not be asked for it."""
        if self._end is None:
            return False
        self._one.id, self._one.logit = self._end, 0.0
        library.llama_sampler_apply(self._sampler, self._one_array)
        if self._one.logit == -math.inf:
            return False
        if self._starts is None:
            self._starts = np.zeros(len(self._weights.beginnings()), dtype=_ROW)
            self._starts["id"] = self._weights.beginnings()
            rows = self._starts.ctypes.data_as(library.llama_token_data_p)
            self._starts_array = _array(rows, len(self._starts))
        self._starts["logit"] = 0.0
        library.llama_sampler_apply(self._sampler, self._starts_array)
        return bool(np.isneginf(self._starts["logit"]).all())

    @property
    def end(self) -> int:
        """The token that ends an answer which `is_over`."""
        assert self._end is not None  # noqa: S101 - else it is never over
        return self._end

    def _best_of_all(self, logits: Logits) -> int:
        self._all["logit"] = logits
        library.llama_sampler_apply(self._sampler, self._all_array)
        return int(self._all["logit"].argmax())


def _array(data: Any, size: int) -> Any:  # noqa: ANN401 - llama.cpp's own structures
    return ctypes.pointer(library.llama_token_data_array(data, size, -1, False))  # noqa: FBT003 - C


def one_of(labels: Sequence[str]) -> str:
    """Write the grammar of an answer that is one of some labels."""
    return "root ::= " + " | ".join(json.dumps(label, ensure_ascii=False) for label in labels)
