"""llama.cpp itself, and what it says; the only module that imports it.

llama-cpp-python's low-level interface: its high-level one keeps the logits of every token in order
to give one of them, and copies the weights into memory when there is an adapter.
"""

from collections import deque
from pathlib import Path
from typing import Any, Final

from broker.package.errors import EngineError

try:
    from llama_cpp import llama_chat_format, llama_cpp, llama_grammar
except (ImportError, RuntimeError, OSError) as error:
    raise EngineError(
        "this package runs on llama.cpp, which is not installed, or not for this processor: "
        f"pip install 'firstline[llama]' ({error})"
    ) from error

_ERRORS: Final = 4  # llama.cpp's log level
_CONTINUES: Final = 5

library: Final[Any] = llama_cpp
ChatTemplate: Final[Any] = llama_chat_format.Jinja2ChatFormatter


def grammar_of(schema: str) -> str:
    """Turn a JSON Schema into a GBNF grammar.

    Raises:
        ValueError: it is none that llama.cpp understands.
    """
    try:
        return str(llama_grammar.json_schema_to_gbnf(schema))
    except Exception as error:  # whatever its recursive reader stumbles over
        raise ValueError(f"{type(error).__name__}: {error}") from error


def meet_processor() -> None:
    """Load the arithmetic for this processor, where llama.cpp was built with one for each.

    llama.cpp would look beside the Python interpreter; the modules lie beside its library.
    """
    loaded = llama_cpp._lib  # noqa: SLF001 - ggml's functions are in it, and have no other name
    if loaded.ggml_backend_reg_count() == 0:
        folder = Path(loaded._name).parent  # noqa: SLF001 - the path that it was loaded from
        loaded.ggml_backend_load_all_from_path(str(folder).encode())


class _Log:
    """What llama.cpp says; it has one log for the whole process."""

    def __init__(self) -> None:
        self._lines: deque[tuple[int, str]] = deque(maxlen=400)
        self._callback = llama_cpp.llama_log_callback(self._take)  # must live as long as we do

    def listen(self) -> None:
        """Begin anew."""
        self._lines.clear()
        llama_cpp.llama_log_set(self._callback, None)

    def text(self) -> str:
        """Everything it said."""
        return "".join(text for _, text in self._lines)

    def errors(self) -> str:
        """What went wrong, in its own words."""
        said = [text.strip() for level, text in self._lines if level in (_ERRORS, _CONTINUES)]
        return "; ".join(text for text in said[-3:] if text) or "nothing"

    def _take(self, level: int, text: bytes, _data: object) -> None:
        self._lines.append((level, text.decode("utf-8", "replace")))


LOG: Final = _Log()
