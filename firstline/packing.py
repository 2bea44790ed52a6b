"""Makes a model package of an ONNX file: copy, describe, try, and only then put it in place.

    FILE.onnx + labels + what goes in --> hidden folder --engine child answers once--> DIR

The child that tries it is the one that will run it, so a package that was made can be used.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from agent.core.find import find
from agent.core.mask import FieldRule, MaskRules, mask
from agent.models.engine import Engine
from agent.stages import Clean, Draft
from broker.package.files import PACKAGE_FILE, sha256
from broker.package.inputs import Input, PromptInput, RecordInput, TextInput, WindowInput
from broker.package.manifest import Manifest, load_manifest
from broker.wire.payload import SAMPLE_BYTES, Payload, Record, Text, Window
from firstline.exits import CommandError

MODEL_FILE, LABELS_FILE, VOCABULARY_FILE = "model.onnx", "labels.txt", "vocabulary.txt"
TOKENIZER = "wordpiece-uncased"
_TRIAL_S = 60.0
_INTERPRETER_MB = 10  # an idle Python


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What a package is made of."""

    model: Path
    labels: Path
    vocabulary: Path | None  # of a model for texts
    name: str
    version: str
    licence: str
    domain: str
    output: str  # of the model; empty: its only one
    out_of_scope: str  # a label, or empty
    scores: str  # "logits" or "probabilities"
    parent: str
    input: TextInput | RecordInput | WindowInput


@dataclass(frozen=True, slots=True)
class Packed:
    """A package that works."""

    manifest: Manifest
    tried: Draft  # the answer to an empty question
    ram_mb: int


def pack(recipe: Recipe, folder: Path) -> Packed:
    """Make a package.

    Raises:
        CommandError: there is something in the folder already.
        PackageError: the description cannot be right.
        ModelError: the engine cannot run the model as described.
        OSError: a file cannot be read or written.
    """
    if folder.exists() and any(folder.iterdir()):
        raise CommandError(f"{folder} is not empty", fix=f"rm -r {folder}, or another --out")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as last:
        made = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".pack-"))
        last.callback(shutil.rmtree, made, ignore_errors=True)
        _copy(recipe, made)
        _describe(recipe, made, ram_mb=1)
        tried, ram_mb = _try(load_manifest(made), recipe.domain)
        _describe(recipe, made, ram_mb=ram_mb)
        made.chmod(0o755)
        made.replace(folder)
    return Packed(load_manifest(folder), tried, ram_mb)


def _copy(recipe: Recipe, folder: Path) -> None:
    shutil.copyfile(recipe.model, folder / MODEL_FILE)
    shutil.copyfile(recipe.labels, folder / LABELS_FILE)
    if recipe.vocabulary is not None:
        shutil.copyfile(recipe.vocabulary, folder / VOCABULARY_FILE)


def _describe(recipe: Recipe, folder: Path, *, ram_mb: int) -> None:
    lines = [*_head(recipe, ram_mb), "", "[files]"]
    files = [path for path in sorted(folder.iterdir()) if path.name != PACKAGE_FILE]
    lines += [f"{_toml(path.name)} = {_toml(sha256(path))}" for path in files]
    lines += ["", "[input]", *_input(recipe.input), "", "[[heads]]"]
    head = {"domain": recipe.domain, "labels": LABELS_FILE, "scores": recipe.scores}
    optional = {"output": recipe.output, "out_of_scope": recipe.out_of_scope}
    head |= {key: value for key, value in optional.items() if value}
    lines += [f"{key} = {_toml(value)}" for key, value in head.items()]
    (folder / PACKAGE_FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _head(recipe: Recipe, ram_mb: int) -> Iterator[str]:
    fields = {
        "name": recipe.name,
        "version": recipe.version,
        "kind": "classification",
        "engine": "onnxruntime",
        "file": MODEL_FILE,
        "licence": recipe.licence,
        "parent": recipe.parent,
    }
    yield from (f"{key} = {_toml(value)}" for key, value in fields.items())
    yield f"ram_mb = {ram_mb}  # measured when it was packed"


def _input(wanted: TextInput | RecordInput | WindowInput) -> Iterator[str]:
    match wanted:
        case TextInput():
            yield 'payload = "text"'
            yield f"tokenizer = {_toml(wanted.tokenizer)}"
            yield f"vocabulary = {_toml(wanted.vocabulary)}"
            yield f"max_tokens = {wanted.max_tokens}"
        case RecordInput():
            yield 'payload = "record"'
            yield f"numbers = {_toml(wanted.numbers)}"
            pairs = (f"{_toml(name)} = {_toml(known)}" for name, known in wanted.strings)
            yield f"strings = {{ {', '.join(pairs)} }}"
        case WindowInput():
            yield 'payload = "window"'
            yield f"channels = {_toml(wanted.channels)}"
            yield f"length = {wanted.length}"
            yield f"rate_hz = {wanted.rate_hz!r}"
            yield f"units = {_toml(wanted.units)}"
            yield f"features = {_toml(wanted.features)}"


def _toml(value: str | tuple[str, ...]) -> str:
    return json.dumps(value, ensure_ascii=True)  # a JSON string or array is a TOML one


def _try(manifest: Manifest, domain: str) -> tuple[Draft, int]:
    """Let an engine child answer, and see how much memory it takes."""
    clean = Clean(_blank(manifest.input))
    masked = mask(clean, MaskRules(default=FieldRule.KEEP), find).masked
    engine = Engine(manifest.folder, timeout_s=_TRIAL_S)
    with ExitStack() as last:
        last.callback(engine.stop)
        return engine.draft(masked, domain), _ram_mb(engine.pid)


def _blank(wanted: Input) -> Payload:
    match wanted:
        case TextInput() | PromptInput():
            return Text("hello")
        case RecordInput():
            strings = {name: known[0] for name, known in wanted.strings}
            return Record({**dict.fromkeys(wanted.numbers, 0.0), **strings})
        case WindowInput():
            size = SAMPLE_BYTES * wanted.length * len(wanted.channels)
            return Window(bytes(size), wanted.channels, wanted.rate_hz)


def _ram_mb(pid: int | None) -> int:
    with Path(f"/proc/{pid}/statm").open(encoding="ascii") as file:
        pages = int(file.read().split()[1])  # resident
    return max(1, pages * os.sysconf("SC_PAGE_SIZE") // 1_000_000 - _INTERPRETER_MB)
