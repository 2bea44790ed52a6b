"""A GGUF file: its weights, mapped into memory, its vocabulary and its description.

Weights(path) --llama_context.Context--> what may follow some tokens
`-- tokens, piece, chat, adapter
"""

import ctypes
from pathlib import Path
from typing import Any, Final

from broker.package.errors import EngineError, ManifestError
from broker.package.llama_library import LOG, ChatTemplate, library, meet_processor

_PIECE_BYTES: Final = 256
_FACT_BYTES: Final = 4096


class Weights:
    """A GGUF file, mapped into memory.

    Args:
        path: The file.
        pretend: Read its description and vocabulary only, in order to see what it would need.

    Raises:
        EngineError: llama.cpp cannot load it; the message has its reason.
    """

    def __init__(self, path: Path, *, pretend: bool = False) -> None:
        self.path = path
        LOG.listen()
        meet_processor()
        wanted = library.llama_model_default_params()
        wanted.n_gpu_layers = 0
        wanted.use_extra_bufts = False  # rearranged weights would be a copy, not the mapped file
        wanted.no_alloc = pretend
        modes = (library.LLAMA_LOAD_MODE_NONE, library.LLAMA_LOAD_MODE_MMAP)
        wanted.load_mode = modes[not pretend]
        self.model = library.llama_model_load_from_file(str(path).encode(), wanted)
        if not self.model:
            raise EngineError(
                f"{path} cannot be loaded as a GGUF model: it is cut short, of another kind, or "
                f"of an architecture that this llama.cpp does not know. It says: {LOG.errors()}"
            )
        if not library.llama_model_has_decoder(self.model):
            library.llama_model_free(self.model)
            raise EngineError(f"{path} writes nothing: it is a model for embeddings")
        self.vocabulary = library.llama_model_get_vocab(self.model)
        self.size = int(library.llama_vocab_n_tokens(self.vocabulary))  # V
        self._adapters: dict[Path, Any] = {}
        self._pieces: dict[int, bytes] = {}  # of the tokens that it has spoken
        self._ends: dict[int, bool] = {}
        self._beginnings: tuple[int, ...] | None = None

    def close(self) -> None:
        """Give the memory back; close the contexts first."""
        for adapter in self._adapters.values():
            library.llama_adapter_lora_free(adapter)
        self._adapters.clear()
        library.llama_model_free(self.model)

    def tokens(self, text: str, *, begin: bool, special: bool) -> list[int]:
        """Cut a text into tokens.

        Args:
            text: What to cut.
            begin: It is the beginning, so a model that wants a token for that gets it.
            special: A special token's name in the text becomes that token.
        """
        said = text.encode()
        room = len(said) + 8
        found = (library.llama_token * room)()
        made = (self.vocabulary, said, len(said), found, room, begin, special)
        count = int(library.llama_tokenize(*made))
        if count < 0:
            raise EngineError(f"{self.path} cuts a text into more tokens than it has bytes")
        return list(found[:count])

    def piece(self, token: int) -> bytes:
        """What a token says; part of a character, perhaps."""
        known = self._pieces.get(token)
        if known is None:
            known = self._pieces[token] = self._said(token)
        return known

    def ends(self, token: int) -> bool:
        """Whether a token ends an answer."""
        known = self._ends.get(token)
        if known is None:
            known = self._ends[token] = bool(library.llama_vocab_is_eog(self.vocabulary, token))
        return known

    def end_token(self) -> int | None:
        """The token that the file names as an answer's end; None if it names none."""
        token = int(library.llama_vocab_eos(self.vocabulary))
        return token if token >= 0 and self.ends(token) else None

    def beginnings(self) -> tuple[int, ...]:
        """Tokens of which one may follow wherever any token with a text may.

        For each first byte: the token that says only that byte, or else all that begin with it.
        """
        if self._beginnings is None:
            alone: dict[bytes, int] = {}
            longer: dict[bytes, list[int]] = {}
            for token in range(self.size):
                piece = self._said(token)
                if len(piece) == 1:
                    alone[piece] = token
                elif piece and not self.ends(token):
                    longer.setdefault(piece[:1], []).append(token)
            rest = (token for first in longer.keys() - alone.keys() for token in longer[first])
            self._beginnings = (*alone.values(), *rest)
        return self._beginnings

    def start_token(self) -> int | None:
        """What an answer begins with, if the model reads with an encoder; None if it has none."""
        if not library.llama_model_has_encoder(self.model):
            return None
        token = int(library.llama_model_decoder_start_token(self.model))
        return token if token >= 0 else int(library.llama_vocab_bos(self.vocabulary))

    def _said(self, token: int) -> bytes:
        buffer = ctypes.create_string_buffer(_PIECE_BYTES)
        made = (self.vocabulary, token, buffer, _PIECE_BYTES, 0, True)
        size = int(library.llama_token_to_piece(*made))
        return buffer.raw[: max(0, size)]

    def fact(self, key: str) -> str:
        """A value of the file's description, or empty."""
        buffer = ctypes.create_string_buffer(_FACT_BYTES)
        size = library.llama_model_meta_val_str(self.model, key.encode(), buffer, _FACT_BYTES)
        return buffer.value.decode("utf-8", "replace") if size >= 0 else ""

    def cache_bytes(self, context: int) -> int:
        """Estimate what the keys and values of `context` tokens take, in half precision."""
        heads = int(library.llama_model_n_head_kv(self.model))
        width = int(library.llama_model_n_embd(self.model))
        usual = width // max(1, int(library.llama_model_n_head(self.model)))
        kind = self.fact("general.architecture")
        key = int(self.fact(f"{kind}.attention.key_length") or usual)
        value = int(self.fact(f"{kind}.attention.value_length") or usual)
        layers = int(library.llama_model_n_layer(self.model))
        return 2 * context * layers * heads * (key + value)

    def chat(self, user: str, system: str) -> str:
        """Put a user's message into the file's own chat template.

        Raises:
            ManifestError: it has none, or one that cannot be used.
        """
        template = library.llama_model_chat_template(self.model, None)
        if not template:
            raise ManifestError(f"{self.path} has no chat template; set chat = false")
        named = (library.llama_vocab_eos, library.llama_vocab_bos)
        end, begin = (self.piece(each(self.vocabulary)).decode() for each in named)
        messages = [{"role": "system", "content": system}] if system else []
        messages.append({"role": "user", "content": user})
        try:
            return str(ChatTemplate(template.decode(), end, begin)(messages=messages).prompt)
        except Exception as error:  # a template is a program of the file's author
            raise ManifestError(f"{self.path}: its chat template fails: {error}") from error

    def adapter(self, path: Path) -> Any:  # noqa: ANN401 - llama.cpp's own handle
        """Load a LoRA adapter for these weights, once.

        Raises:
            EngineError: it is none, or for other weights.
        """
        if path not in self._adapters:
            LOG.listen()
            found = library.llama_adapter_lora_init(self.model, str(path).encode())
            if not found:
                raise EngineError(
                    f"{path} is no LoRA adapter for {self.path.name}. It says: {LOG.errors()}"
                )
            self._adapters[path] = found
        return self._adapters[path]
