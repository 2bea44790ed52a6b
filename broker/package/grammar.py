"""Which tokens may come next: a GBNF grammar, applied by llama.cpp.

logits (V,) --best--> the likeliest token that the grammar admits
"""

import ctypes
import json
from collections.abc import Sequence
from typing import Final

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
        self._one = np.zeros(1, dtype=_ROW)

    def close(self) -> None:
        """Give the memory back."""
        library.llama_sampler_free(self._sampler)

    def reset(self) -> None:
        """Begin a new answer."""
        library.llama_sampler_reset(self._sampler)

    def best(self, logits: Logits, token: int) -> int:
        """Give the likeliest token that may come next; `token` is the likeliest of all."""
        self._one["id"], self._one["logit"] = token, logits[token]
        self._apply(self._one)  # most often the model has learned the form: one check is enough
        if np.isfinite(self._one["logit"][0]):
            return token
        self._all["id"] = np.arange(len(logits))
        self._all["logit"] = logits
        self._apply(self._all)
        return int(self._all["logit"].argmax())

    def share(self, logits: Logits) -> tuple[int, float]:
        """Give the likeliest token that may come next, and its chance among those."""
        self._all["id"] = np.arange(len(logits))
        self._all["logit"] = logits
        self._apply(self._all)
        token = int(self._all["logit"].argmax())
        powers = np.exp(self._all["logit"] - self._all["logit"][token])
        return token, float(1.0 / powers.sum())

    def accept(self, token: int) -> None:
        """Go on after a token that `best` gave."""
        library.llama_sampler_accept(self._sampler, token)

    def _apply(self, rows: "np.ndarray[tuple[int], np.dtype[np.void]]") -> None:
        data = rows.ctypes.data_as(library.llama_token_data_p)
        array = library.llama_token_data_array(data, len(rows), -1, False)  # noqa: FBT003 - C
        library.llama_sampler_apply(self._sampler, ctypes.byref(array))


def one_of(labels: Sequence[str]) -> str:
    """Write the grammar of an answer that is one of some labels."""
    return "root ::= " + " | ".join(json.dumps(label, ensure_ascii=False) for label in labels)
