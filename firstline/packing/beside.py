"""What exporters leave beside a model: tokenizer.json, vocab.txt, labels.txt, config.json."""

import json
from pathlib import Path
from typing import Final

TOKENIZERS: Final = ("tokenizer.json", "vocab.txt", "vocabulary.txt")
_CONFIG, _LABELS = "config.json", "labels.txt"


def find_beside(model: Path, names: tuple[str, ...]) -> Path | None:
    """The first of these files beside a model, or in the folder above: optimum's `onnx/`."""
    above = model.parent.resolve().parent if model.parent.resolve().name == "onnx" else None
    folders = [model.parent] if above is None else [model.parent, above]
    return next((f / n for f in folders for n in names if (f / n).is_file()), None)


def labels_beside(model: Path) -> tuple[tuple[str, ...], str]:
    """Labels that nobody gave, and where they were found; none if nowhere."""
    path = find_beside(model, (_LABELS,))
    if path is not None:
        return tuple(path.read_text(encoding="utf-8").splitlines()), str(path)
    named = _config(model).get("id2label")
    if isinstance(named, dict) and all(str(number) in named for number in range(len(named))):
        return tuple(str(named[str(number)]) for number in range(len(named))), f"{_CONFIG} id2label"
    return (), ""


def longest_text(model: Path) -> int | None:
    """How many tokens the model was trained on, if config.json says so."""
    found = _config(model).get("max_position_embeddings")
    return found if isinstance(found, int) and found > 2 else None  # noqa: PLR2004 - [CLS], one, [SEP]


def _config(model: Path) -> dict[str, object]:
    path = find_beside(model, (_CONFIG,))
    if path is None:
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}  # somebody else's file: it may be of anything
    return found if isinstance(found, dict) else {}
