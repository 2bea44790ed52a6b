"""Text to token ids by a tokenizer.json of Hugging Face; the only module that imports tokenizers.

For cased, BPE and SentencePiece models. The library is an extra of its own: a board whose models
come with a WordPiece vocabulary needs `tokenize.py` alone.
"""

from pathlib import Path

from broker.package.errors import EngineError, ManifestError
from broker.package.tokenize import Tokens

try:
    from tokenizers import Tokenizer
except ModuleNotFoundError as error:
    raise EngineError(
        "this model comes with a tokenizer.json, and the package tokenizers is not installed; "
        "try: pip install 'firstline[tokenizers]'"
    ) from error

_PADDING = ("[PAD]", "<pad>", "<|pad|>", "<|endoftext|>")


class Subwords:
    """A tokenizer.json.

    A literal "</s>" in a text is ordinary pieces, never the special token, so that no text can
    end its own sentence.
    """

    __slots__ = ("_tokenizer", "padding")

    def __init__(self, path: Path, *, max_tokens: int) -> None:
        """Load it.

        Raises:
            ManifestError: it is no tokenizer.json.
        """
        try:
            self._tokenizer = Tokenizer.from_file(str(path))
        except Exception as error:  # the library raises this very class
            raise ManifestError(f"{path} is no tokenizer.json: {error}") from error
        padding = self._tokenizer.padding or {}
        known = (self._tokenizer.token_to_id(piece) for piece in _PADDING)
        first = next((each for each in known if each is not None), 0)
        self.padding = int(padding.get("pad_id", first))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_tokens)
        self._tokenizer.encode_special_tokens = True

    def encode(self, text: str) -> Tokens:
        """Cut a text into at most `max_tokens` ids, the special ones among them."""
        found = self._tokenizer.encode(text)
        return Tokens(tuple(found.ids), truncated=bool(found.overflowing))
