"""Text by a GGUF model, one question at a time.

text --Speech--> tokens --Context--> Spoken -> Found
"""

from contextlib import ExitStack
from pathlib import Path
from typing import Final

from broker.package.errors import EngineError, InputMismatchError, ManifestError
from broker.package.files import verify_files
from broker.package.gguf import Weights
from broker.package.heads import TextHead
from broker.package.inputs import PromptInput
from broker.package.llama_context import Context
from broker.package.manifest import Manifest
from broker.package.model import Found
from broker.package.ram import Need, check_room, free_bytes
from broker.package.speech import Speech
from broker.package.watch import Watch
from broker.wire.payload import Payload, Text, kind_of

_MAGIC: Final = b"GGUF"
_ENGINE_BYTES: Final = 3_000_000  # whatever the model; measured
_TOKEN_BYTES: Final = 200  # of each piece of the vocabulary, in llama.cpp's tables


class LlamaModel:
    """One GGUF package, loaded. Use from one thread."""

    def __init__(self, manifest: Manifest, *, threads: int = 1) -> None:
        """Check every file of a package, see that it fits, and load it.

        Raises:
            PackageError: a file is wrong, damaged, too large, or not for this engine.
        """
        if not isinstance(manifest.input, PromptInput):
            message = f"{manifest.name}: llama.cpp takes texts, and its [input] has no context"
            raise ManifestError(message)
        self.manifest, self._tokens = manifest, manifest.input.context
        verify_files(manifest.folder, manifest.files)
        path = manifest.folder / manifest.file
        check_room(str(path), predicted(path, self._tokens), free_bytes())
        with ExitStack() as last:
            self._weights = Weights(path)
            last.callback(self._weights.close)
            self._watch = Watch()
            last.callback(self._watch.close)
            self._context = Context(
                self._weights, tokens=self._tokens, threads=threads, late=self._watch.address
            )
            last.callback(self._context.close)
            self._speeches: dict[str, Speech] = {}
            for head in manifest.heads:
                speech = Speech(self._weights, self._head(head.domain), manifest.folder)
                last.callback(speech.close)
                self._speeches[head.domain] = speech
            self._last = last.pop_all()
        self._adapter: str | None = None
        self.spoken_tokens = 0  # of all answers so far, the ones that ended them included

    @property
    def reused_tokens(self) -> int:
        """How many tokens of prompts needed no second reading so far."""
        return self._context.reused_tokens

    def answer(self, payload: Payload, domain: str, *, deadline_s: float | None = None) -> Found:
        """Answer with the model's likeliest text.

        Raises:
            InputMismatchError: it is no text, or the prompt leaves no room for an answer.
            TooLateError: the deadline passed first.
            EngineError: the model computed something that is no number.
        """
        head = self._head(domain)
        prompt = self.prompted(payload, domain)
        self._attach(head)
        with self._watch.until(deadline_s):
            spoken = self._speeches[domain].speak(self._context, prompt)
        self.spoken_tokens += spoken.tokens
        return Found(
            spoken.text,
            spoken.score,
            truncated=not spoken.whole,
            out_of_scope=spoken.text == head.out_of_scope,
            tokens=(len(prompt), spoken.tokens),
        )

    def prompted(self, payload: Payload, domain: str) -> list[int]:
        """Give the tokens of a question with its prompt.

        Raises:
            InputMismatchError: it is no text, or the prompt leaves no room for an answer.
        """
        if not isinstance(payload, Text):
            raise InputMismatchError(f"{self.manifest.name} takes a text, not a {kind_of(payload)}")
        speech = self._speeches[domain]
        tokens = speech.prompt(payload.text)
        if not tokens:
            raise InputMismatchError(f"{self.manifest.name} makes nothing of such a text")
        if len(tokens) + speech.most_tokens > self._tokens:
            raise InputMismatchError(
                f"the prompt has {len(tokens)} tokens and the answer may take "
                f"{speech.most_tokens}; {self.manifest.name} has a context of {self._tokens}"
            )
        return tokens

    def close(self) -> None:
        """Give the memory back."""
        self._last.close()

    def _head(self, domain: str) -> TextHead:
        head = self.manifest.head(domain)
        if not isinstance(head, TextHead):
            raise ManifestError(f"{self.manifest.name}: the head {domain} is not for texts")
        return head

    def _attach(self, head: TextHead) -> None:
        if head.adapter == self._adapter:
            return
        folder = self.manifest.folder
        chosen = None if head.adapter is None else self._weights.adapter(folder / head.adapter)
        self._context.attach(chosen)
        self._adapter = head.adapter


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
        working = pretended.working_bytes + _ENGINE_BYTES + _TOKEN_BYTES * weights.size
        return Need(path.stat().st_size, cache, working)
