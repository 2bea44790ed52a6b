"""Packages around the models that others exported; brought/README.md tells how they were made."""

import json
import shutil
from pathlib import Path

from tests.unit.package.packages import sha256

BROUGHT = Path(__file__).with_name("brought")
HEAD = """\
name = "{name}"
version = "1.0.0"
kind = "{kind}"
engine = "onnxruntime"
file = "{name}.onnx"
licence = "Apache-2.0"
ram_mb = 1
"""
TOKENIZER = {  # a word-level tokenizer.json as the library writes it, with [CLS] and [SEP]
    "version": "1.0",
    "truncation": None,
    "padding": None,
    "added_tokens": [
        {
            "id": number,
            "content": piece,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": True,
        }
        for number, piece in enumerate(("[PAD]", "[UNK]", "[CLS]", "[SEP]"))
    ],
    "normalizer": None,
    "pre_tokenizer": {"type": "Whitespace"},
    "post_processor": {
        "type": "BertProcessing",
        "sep": ["[SEP]", 3],
        "cls": ["[CLS]", 2],
    },
    "decoder": None,
    "model": {
        "type": "WordLevel",
        "vocab": {
            "[PAD]": 0,
            "[UNK]": 1,
            "[CLS]": 2,
            "[SEP]": 3,
            "Berlin": 4,
            "berlin": 5,
            "rain": 6,
            "sun": 7,
            "[": 8,
            "]": 9,
            "SEP": 10,
        },
        "unk_token": "[UNK]",
    },
}


def write_tokenizer(path: Path) -> None:
    path.write_text(json.dumps(TOKENIZER), encoding="utf-8")


def stranger(
    to: Path, name: str, given: str, *, labels: tuple[str, ...] = (), head: str = ""
) -> Path:
    """Make a package by hand; `given` is the content of [input]."""
    folder = to / name
    folder.mkdir()
    shutil.copy(BROUGHT / f"{name}.onnx", folder)
    if labels:
        (folder / "labels.txt").write_text("\n".join(labels) + "\n", encoding="utf-8")
    if "tokenizer.json" in given:
        write_tokenizer(folder / "tokenizer.json")
    kind = "classification" if labels else "regression"
    files = "\n".join(f'"{path.name}" = "{sha256(path)}"' for path in sorted(folder.iterdir()))
    listed = 'labels = "labels.txt"\n' if labels else ""
    text = HEAD.format(name=name, kind=kind)
    text += f"[files]\n{files}\n[input]\n{given}\n[[heads]]\ndomain = 'd'\n{listed}{head}\n"
    (folder / "package.toml").write_text(text, encoding="utf-8")
    return folder
