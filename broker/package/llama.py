"""Text by a GGUF model, one question at a time; always its likeliest answer.

    text --prompts--> tokens --Context--> logits --Grammar--> token, probability -> Found
                                  ^                              |
                                  `------------------------------'

The score is made of the probabilities that the model gave to its own tokens before any grammar
forbade others: "first", "lowest", "mean" (geometric) or "product" (arXiv 2404.10136 compares them).
"""

import math
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import numpy as np

from broker.package.errors import EngineError, InputMismatchError, ManifestError
from broker.package.files import verify_files
from broker.package.gguf import Weights
from broker.package.grammar import Grammar, one_of
from broker.package.heads import TextHead
from broker.package.inputs import PromptInput
from broker.package.llama_context import Context, Logits
from broker.package.llama_library import grammar_of
from broker.package.manifest import Manifest
from broker.package.model import Found
from broker.package.prompts import Prompt, prompt_of
from broker.package.ram import Need, check_room, free_bytes
from broker.wire.payload import Payload, Text, kind_of

_MAGIC: Final = b"GGUF"


class LlamaModel:
    """One GGUF package, loaded. Use from one thread."""

    def __init__(self, manifest: Manifest, *, threads: int = 1) -> None:
        """Check every file of a package, see that it fits, and load it.

        Raises:
            PackageError: a file is wrong, damaged, too large, or not for this engine.
        """
        if not isinstance(manifest.input, PromptInput):
            raise ManifestError(
                f"{manifest.name}: llama.cpp takes texts, and [input] says otherwise"
            )
        self.manifest, self._tokens = manifest, manifest.input.context
        verify_files(manifest.folder, manifest.files)
        path = manifest.folder / manifest.file
        check_room(str(path), predicted(path, self._tokens), free_bytes())
        with ExitStack() as last:
            self._weights = Weights(path)
            last.callback(self._weights.close)
            self._context = Context(self._weights, tokens=self._tokens, threads=threads)
            last.callback(self._context.close)
            self._heads = {head.domain: self._head(head.domain) for head in manifest.heads}
            self._prompts = {d: prompt_of(head, self._weights) for d, head in self._heads.items()}
            self._longest = {domain: self._most(head) for domain, head in self._heads.items()}
            self._grammars = {
                domain: Grammar(self._weights, rules, source)
                for domain, head in self._heads.items()
                for rules, source in _rules(manifest.folder, head)
            }
            for grammar in self._grammars.values():
                last.callback(grammar.close)
            self._last = last.pop_all()
        self._adapter: str | None = None
        self._powers = np.empty(self._weights.size, dtype=np.float32)

    @property
    def reused_tokens(self) -> int:
        """How many tokens of prompts needed no second reading so far."""
        return self._context.reused_tokens

    def answer(self, payload: Payload, domain: str, *, deadline_s: float | None = None) -> Found:
        """Answer with the model's likeliest text.

        Raises:
            InputMismatchError: it is no text, or the prompt leaves no room for an answer.
            TooLateError: the deadline passed first.
            EngineError: the model gave something that is no number.
        """
        head = self._head(domain)
        tokens = self._prompted(payload, head, self._prompts[domain])
        self._attach(head)
        with self._context.until(deadline_s):
            spoken = list(self._spoken(tokens, head))
        ended = self._weights.ends(spoken[-1][0])
        text = b"".join(self._weights.piece(token) for token, _ in spoken[: len(spoken) - ended])
        said, stopped = _until(text.decode("utf-8", "replace"), head.stop)
        score = _score(head.score, [chance for _, chance in spoken])
        return Found(said, score, not ended and not stopped, said == head.out_of_scope)

    def close(self) -> None:
        """Give the memory back."""
        self._last.close()

    def _head(self, domain: str) -> TextHead:
        head = self.manifest.head(domain)
        if not isinstance(head, TextHead):
            raise ManifestError(f"{self.manifest.name}: the head {domain} is not for texts")
        return head

    def _most(self, head: TextHead) -> int:
        """How many tokens an answer may take, the one that ends it included."""
        if not head.labels:
            return head.max_tokens
        # A token may say a single byte of a label, if the model likes that.
        return max(len(label.encode()) for label in head.labels) + 1

    def _prompted(self, payload: Payload, head: TextHead, prompt: Prompt) -> list[int]:
        if not isinstance(payload, Text):
            raise InputMismatchError(f"{self.manifest.name} takes a text, not a {kind_of(payload)}")
        tokens = prompt.around(self._weights, payload.text)
        most = self._longest[head.domain]
        if len(tokens) + most > self._tokens:
            raise InputMismatchError(
                f"the prompt has {len(tokens)} tokens and the answer may take {most}; "
                f"{self.manifest.name} has a context of {self._tokens}"
            )
        return tokens

    def _attach(self, head: TextHead) -> None:
        if head.adapter == self._adapter:
            return
        folder = self.manifest.folder
        chosen = None if head.adapter is None else self._weights.adapter(folder / head.adapter)
        self._context.attach(chosen)
        self._adapter = head.adapter

    def _spoken(self, prompt: list[int], head: TextHead) -> Iterator[tuple[int, float]]:
        """Each token of the answer and its probability; the last one may end it."""
        grammar = self._grammars.get(head.domain)
        if grammar is not None:
            grammar.reset()
        logits = self._context.read(prompt)
        tail = b""
        longest = max(map(len, head.stop), default=0) * 4  # bytes of a UTF-8 character
        most = self._longest[head.domain]
        for number in range(most):
            token, chance = self._next(logits, grammar, among=bool(head.labels))
            yield token, chance
            if self._weights.ends(token) or number == most - 1:
                return
            if head.stop:
                tail = (tail + self._weights.piece(token))[-longest - 64 :]
                if any(stop.encode() in tail for stop in head.stop):
                    return
            if grammar is not None:
                grammar.accept(token)
            logits = self._context.follow((token,))

    def _next(self, logits: Logits, grammar: Grammar | None, *, among: bool) -> tuple[int, float]:
        """The likeliest token and its chance; `among` the admitted tokens only."""
        if grammar is not None and among:
            token, chance = grammar.share(logits)
        else:
            token = int(logits.argmax()) if grammar is None else grammar.best(logits)
            top = logits.max()
            np.subtract(logits, top, out=self._powers)
            among_all = float(np.exp(self._powers, out=self._powers).sum())
            chance = math.exp(float(logits[token] - top)) / among_all
        if not 0.0 <= chance <= 1.0:
            raise EngineError(f"{self.manifest.file} computed something that is no number")
        return token, chance


def predicted(path: Path, context: int) -> Need:
    """What a GGUF file would take with a context of that many tokens, without loading it.

    Raises:
        EngineError: it is no GGUF file that llama.cpp knows.
    """
    with path.open("rb") as file:
        start = file.read(len(_MAGIC))
    if start != _MAGIC:
        raise EngineError(f"{path} is no GGUF file; the engine llama.cpp takes only those")
    with ExitStack() as last:
        weights = Weights(path, pretend=True)
        last.callback(weights.close)
        pretended = Context(weights, tokens=context, threads=1)
        last.callback(pretended.close)
        cache = weights.cache_bytes(context)
        return Need(path.stat().st_size, cache, pretended.working_bytes)


def _rules(folder: Path, head: TextHead) -> Iterator[tuple[str, str]]:
    """The grammar of a head, if it has one, and where it comes from."""
    if head.labels:
        yield one_of(head.labels), f"the labels of {head.domain}"
    elif head.grammar is not None:
        yield (folder / head.grammar).read_text(encoding="utf-8"), str(folder / head.grammar)
    elif head.schema is not None:
        path = folder / head.schema
        try:
            yield grammar_of(path.read_text(encoding="utf-8")), str(path)
        except ValueError as error:
            raise ManifestError(
                f"{path} is no JSON Schema that llama.cpp can use: {error}"
            ) from error


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
