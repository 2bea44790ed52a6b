"""A model file and what was said of it -> a recipe, or what is still to be said."""

from pathlib import Path
from typing import Final

from firstline.packing.entries import decide_input
from firstline.packing.gguf_file import GgufFile, read_gguf
from firstline.packing.onnx_file import OnnxFile, read_onnx
from firstline.packing.outputs import decide_kind, label_head, number_head
from firstline.packing.recipe import LABELS_FILE, Recipe, Toml, name_of
from firstline.packing.wishes import Findings, Wishes

_GGUF: Final = b"GGUF"
_CONTEXT: Final = 2048  # tokens, of prompt and answer: what a board has memory for
_LOADED_MB: Final = 45  # onnxruntime and numpy, imported
_LLAMA_MB: Final = 40  # llama.cpp, its tables and a computation
_MB: Final = 1_000_000


def decide(wishes: Wishes, findings: Findings) -> Recipe:
    """Look at the file and decide all that it tells.

    Raises:
        CommandError: the file is a model that no package can hold.
        PackageError: it is no model, or cut short.
        OSError: it cannot be read.
    """
    with wishes.model.open("rb") as file:
        is_gguf = file.read(len(_GGUF)) == _GGUF
    if not wishes.name:
        findings.decide(f"--name {name_of(wishes)}", "after the file")
    if not wishes.domain:
        findings.decide(f"--domain {name_of(wishes)}", "after the name")
    if is_gguf:
        return _generator(read_gguf(wishes.model), wishes, findings)
    return _numeric(read_onnx(wishes.model), wishes, findings)


def _numeric(file: OnnxFile, wishes: Wishes, findings: Findings) -> Recipe:
    _tell_onnx(file, findings)
    kind = decide_kind(file, wishes, findings)
    given, files = decide_input(file, wishes, findings)
    head: dict[str, Toml] = {"domain": wishes.domain or name_of(wishes)}
    if kind == "regression":
        head |= number_head(file, wishes, findings)
    else:
        more, labels = label_head(file, wishes, findings)
        head, files = head | more, files | labels
    weights = {name: file.path.parent / name for name in file.beside}
    return _recipe(
        wishes, kind, "onnxruntime", {"model.onnx": file.path, **weights, **files}, given, head
    )


def _generator(file: GgufFile, wishes: Wishes, findings: Findings) -> Recipe:
    context = wishes.context or min(file.context_tokens or _CONTEXT, _CONTEXT)
    _tell_gguf(file, context, findings)
    if wishes.context is None:
        trained = f"it was trained on {file.context_tokens}" if file.context_tokens else "usual"
        findings.decide(f"--context {context}", trained)
    chat = bool(file.chat_template) if wishes.chat is None else wishes.chat
    if wishes.chat is None:
        has = "the file has a" if chat else "the file has no"
        findings.decide("--chat" if chat else "--no-chat", f"{has} chat template")
    head: dict[str, Toml] = {"domain": wishes.domain or name_of(wishes), "chat": chat}
    files: dict[str, Path | str] = {"model.gguf": file.path}
    if wishes.prompt:
        head["prompt"] = wishes.prompt
    if wishes.system:
        head["system"] = wishes.system
    if wishes.max_tokens is not None:
        head["max_tokens"] = wishes.max_tokens
    if wishes.out_of_scope:
        head["out_of_scope"] = wishes.out_of_scope
    named = {
        "labels": (LABELS_FILE, wishes.labels),
        "grammar": ("grammar.gbnf", wishes.grammar),
        "schema": ("schema.json", wishes.schema),
        "adapter": ("adapter.gguf", wishes.adapter),
    }
    for key, (name, path) in named.items():
        if path is not None:
            head[key], files[name] = name, path
    given: dict[str, Toml] = {"payload": "text", "context": context}
    return _recipe(wishes, "generation", "llama.cpp", files, given, head)


def _recipe(  # noqa: PLR0913, PLR0917 - the parts of a recipe
    wishes: Wishes,
    kind: str,
    engine: str,
    files: dict[str, Path | str],
    given: dict[str, Toml],
    head: dict[str, Toml],
) -> Recipe:
    return Recipe(
        name=name_of(wishes),
        version=wishes.version,
        licence=wishes.licence,
        parent=wishes.parent,
        kind=kind,
        engine=engine,
        file=next(iter(files)),
        files=files,
        input=given,
        head=head,
    )


def _tell_onnx(file: OnnxFile, findings: Findings) -> None:
    findings.fact("file", f"ONNX of {file.producer}, operator set {file.opset}")
    for node in file.inputs:
        findings.fact("input", f"{node.name}: {node.kind} {_shape(node.shape)}")
    for node in file.outputs:
        findings.fact("output", f"{node.name}: {node.kind} {_shape(node.shape)}")
    findings.fact("weights", _shares(dict(file.weights), file.weight_bytes))
    if file.beside:
        findings.fact("beside", ", ".join(file.beside))
    findings.fact("memory", f"about {_LOADED_MB + file.weight_bytes // _MB} MB predicted")


def _tell_gguf(file: GgufFile, context: int, findings: Findings) -> None:
    name = file.values.get("general.name", "")
    findings.fact("file", f"GGUF, {file.architecture or 'of no architecture'} {name}".rstrip())
    findings.fact("weights", f"{file.parameters:,}: {_shares(dict(file.weights), file.parameters)}")
    findings.fact("context", f"{file.context_tokens or 'any number of'} tokens at most")
    findings.fact("tokenizer", str(file.values.get("tokenizer.ggml.model", "none")))
    findings.fact("chat", "a template of its own" if file.chat_template else "no template")
    mb = _LLAMA_MB + (file.file_bytes + file.cache_bytes(context)) // _MB
    findings.fact("memory", f"about {mb} MB predicted, with {context} tokens")


def _shares(parts: dict[str, int], whole: int) -> str:
    shown = [f"{name} {count / whole:.0%}" for name, count in parts.items() if count * 200 >= whole]
    return ", ".join(shown) or "none of its own"


def _shape(sizes: tuple[int | None, ...]) -> str:
    return f"({', '.join('any' if size is None else str(size) for size in sizes)})"
