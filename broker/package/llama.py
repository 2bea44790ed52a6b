"""Text generation with llama.cpp; the only module that imports it."""

from broker.package.errors import EngineError
from broker.package.manifest import Manifest
from broker.package.model import Found
from broker.wire.payload import Payload


class LlamaModel:
    """One GGUF package, loaded. Use from one thread."""

    def __init__(self, manifest: Manifest, *, threads: int = 1) -> None:
        """Check every file of a package and load it; `threads` is for one question.

        Raises:
            PackageError: a file is wrong, damaged, or not for this engine.
        """
        self.manifest = manifest
        raise EngineError(f"{manifest.file} needs llama.cpp, asked for {threads} threads")

    def answer(self, payload: Payload, domain: str, *, deadline_s: float | None = None) -> Found:
        """See PackageModel."""
        raise NotImplementedError(payload, domain, deadline_s)

    def close(self) -> None:
        """Give the memory back."""
