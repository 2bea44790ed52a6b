"""What a head of a language model does with a prompt: token after token, the likeliest each time.

    prompt --Context--> logits (V,) --Grammar--> token, probability --> Spoken
                 ^                                   |
                 `-----------------------------------'

The score is made of the probabilities that the model gave to its own tokens before any grammar
forbade others: "first", "lowest", "mean" (geometric) or "product" (arXiv 2404.10136 compares them).
With labels it is made of the probabilities among those that may come next.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from broker.package.errors import EngineError, ManifestError
from broker.package.gguf import Weights
from broker.package.grammar import Grammar, one_of
from broker.package.heads import TextHead
from broker.package.llama_context import Context, Logits
from broker.package.llama_library import grammar_of
from broker.package.prompts import prompt_of

_STOP_TAIL_BYTES: Final = 256  # of what was said last, where a stop string may begin


@dataclass(frozen=True, slots=True)
class Spoken:
    """An answer."""

    text: str = field(repr=False)
    score: float  # in [0, 1]
    whole: bool  # the model ended it, and not the limit of tokens
    tokens: int


class Speech:
    """One head of a loaded model. Use from one thread.

    Raises:
        ManifestError: its prompt, grammar or schema cannot be used.
    """

    def __init__(self, weights: Weights, head: TextHead, folder: Path) -> None:
        self._weights, self._head = weights, head
        self._prompt = prompt_of(head, weights)
        rules = rules_of(folder, head)
        self._grammar = None if rules is None else Grammar(weights, *rules)
        self._stops = tuple(stop.encode() for stop in head.stop)
        # Of a label, a token may say a single byte, if the model likes that; one more ends it.
        self.most_tokens = (
            max(len(label.encode()) for label in head.labels) + 1
            if head.labels
            else head.max_tokens
        )

    def close(self) -> None:
        """Give the memory back."""
        if self._grammar is not None:
            self._grammar.close()

    def prompt(self, question: str) -> list[int]:
        """Give the tokens of a question with its prompt."""
        return self._prompt.around(self._weights, question)

    def speak(self, context: Context, prompt: list[int]) -> Spoken:
        """Answer a prompt.

        Raises:
            TooLateError: the deadline passed.
            EngineError: the model computed something that is no number.
        """
        said = list(self._said(context, prompt))
        ended = self._weights.ends(said[-1][0])
        pieces = [self._weights.piece(token) for token, _ in said[: len(said) - ended]]
        text, stopped = _until(b"".join(pieces).decode("utf-8", "replace"), self._head.stop)
        score = _score(self._head.score, [chance for _, chance in said])
        return Spoken(text, score, ended or stopped, len(said))

    def _said(self, context: Context, prompt: list[int]) -> Iterator[tuple[int, float]]:
        """Each token and its chance; the last one may end the answer."""
        if self._grammar is not None:
            self._grammar.reset()
        logits, tail = context.read(prompt), b""
        choose = self._among_labels if self._head.labels else self._likeliest
        for number in range(self.most_tokens):
            token, chance = choose(logits, counts=number == 0 or self._head.score != "first")
            if not 0.0 <= chance <= 1.0:
                name = self._weights.path.name
                raise EngineError(f"{name} computed something that is no number")
            yield token, chance
            if self._weights.ends(token) or number == self.most_tokens - 1:
                return
            if self._stops:
                tail = (tail + self._weights.piece(token))[-_STOP_TAIL_BYTES:]
                if any(stop in tail for stop in self._stops):
                    return
            if self._grammar is not None:
                self._grammar.accept(token)
                if self._grammar.is_over():
                    yield self._grammar.end, 1.0
                    return
            logits = context.follow_one(token)

    def _likeliest(self, logits: Logits, *, counts: bool) -> tuple[int, float]:
        """The likeliest token that may come, and its chance among all; 1 if it does not count."""
        best = int(logits.argmax())
        token = best if self._grammar is None else self._grammar.best(logits, best)
        top = float(logits[best])
        if not counts:
            return token, 1.0 if math.isfinite(top) else math.nan
        power = 1.0 if token == best else math.exp(float(logits[token]) - top)
        # In their own place, which nobody reads again: another would not be in the cache.
        powers = np.exp(np.subtract(logits, top, out=logits), out=logits)
        return token, power / float(powers.sum())

    def _among_labels(self, logits: Logits, *, counts: bool) -> tuple[int, float]:
        """The likeliest token that may come, and its chance among those."""
        assert self._grammar is not None  # noqa: S101 - labels have one
        token, chance = self._grammar.share(logits)
        return token, chance if counts else 1.0


def rules_of(folder: Path, head: TextHead) -> tuple[str, str] | None:
    """Give the grammar of a head, if it has one, and where it comes from.

    Raises:
        ManifestError: its schema cannot be made into one.
    """
    if head.labels:
        return one_of(head.labels), f"the labels of {head.domain}"
    if head.grammar is not None:
        return (folder / head.grammar).read_text(encoding="utf-8"), str(folder / head.grammar)
    if head.schema is None:
        return None
    path = folder / head.schema
    try:
        return grammar_of(path.read_text(encoding="utf-8")), str(path)
    except ValueError as error:
        message = f"{path} is no JSON Schema that llama.cpp can use: {error}"
        raise ManifestError(message) from error


def _until(text: str, stops: tuple[str, ...]) -> tuple[str, bool]:
    """Cut a text before the first of the strings that end it."""
    found = [at for at in (text.find(stop) for stop in stops) if at >= 0]
    return (text[: min(found)], True) if found else (text, False)


def _score(kind: str, chances: list[float]) -> float:
    logs = [math.log(max(chance, 1e-30)) for chance in chances]
    match kind:
        case "first":
            return chances[0]
        case "lowest":
            return min(chances)
        case "mean":
            return math.exp(sum(logs) / len(logs))
        case _:
            return math.exp(sum(logs))
