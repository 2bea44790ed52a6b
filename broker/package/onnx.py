"""Classification with onnxruntime, one question at a time; the only module that imports it.

    payload -> tokenize | windows | records -> session -> probabilities -> Found

Every file is checked against its hash before the engine sees it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as state

from broker.package import scope
from broker.package.errors import (
    EngineError,
    InputMismatchError,
    ManifestError,
    TooLateError,
)
from broker.package.files import read_lines, verify_files
from broker.package.heads import LabelHead
from broker.package.inputs import Input, PromptInput, RecordInput, TextInput, WindowInput
from broker.package.manifest import Manifest
from broker.package.model import Found
from broker.package.records import record_numbers
from broker.package.tokenize import WordPiece
from broker.package.windows import feature, window_numbers
from broker.wire.payload import Payload, Record, Text, Window, kind_of

_FAILURES: Final = (
    state.EPFail,
    state.Fail,
    state.InvalidArgument,
    state.InvalidGraph,
    state.InvalidProtobuf,
    state.NoModel,
    state.NoSuchFile,
    state.NotImplemented,
    state.RuntimeException,
    RuntimeError,
)
_MAGIC: Final = {  # first bytes of files that are often taken for ONNX
    b"GGUF": "a GGUF file, for llama.cpp",
    b"PK": "a zip archive, such as a PyTorch checkpoint",
    b"\x93NUMPY": "a numpy array",
    b"versio": "a Git LFS pointer; fetch the real file with `git lfs pull`",
}
_ERRORS_ONLY: Final = 3  # log severity: the exceptions already say what is wrong


@dataclass(frozen=True, slots=True)
class Prepared:
    """A payload as the model's input tensor."""

    tensor: NDArray[np.float32] | NDArray[np.int64]
    truncated: bool


class OnnxModel:
    """One model package, loaded. Use from one thread."""

    def __init__(self, manifest: Manifest, *, threads: int = 1) -> None:
        """Check every file of a package and load it; `threads` is for one question.

        Raises:
            PackageError: a file is wrong, damaged, or not for this engine.
        """
        self.manifest, folder = manifest, manifest.folder
        verify_files(folder, manifest.files)
        self._prepare = _preparation(self.manifest.input, folder)
        self._session = _session(folder / self.manifest.file, threads)
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1:
            names = ", ".join(node.name for node in inputs)
            raise EngineError(
                f"{self.manifest.file} has {len(inputs)} inputs ({names}); a package has one"
            )
        self._input = inputs[0].name
        shapes = {node.name: node.shape for node in outputs}
        domains = [head.domain for head in manifest.heads]
        self._outputs = {d: self._output_of(self._head(d), shapes) for d in domains}

    def answer(self, payload: Payload, domain: str, *, deadline_s: float | None = None) -> Found:
        """Answer with the likeliest label; a run is far too short to be stopped at a deadline.

        Raises:
            InputMismatchError: the payload is not what the model takes.
            TooLateError: the deadline has passed already.
            EngineError: the model cannot run it.
        """
        if deadline_s is not None and time.monotonic() >= deadline_s:
            raise TooLateError(f"{self.manifest.name} was asked after the deadline")
        head = self._head(domain)
        prepared = self._prepared(payload)
        chances = self._run(prepared, head)
        best = int(chances.argmax())
        answer = Found(head.labels[best], float(chances[best]), prepared.truncated)
        if head.out_of_scope is None:
            return answer
        apart = scope.outside(chances, head.labels.index(head.out_of_scope))
        is_apart = answer.answer == head.out_of_scope or apart > head.scope_threshold
        return replace(answer, outside=apart, out_of_scope=is_apart)

    def probabilities(self, payload: Payload, domain: str) -> NDArray[np.float32]:
        """Give the probability (L,) of each label, in the order of `manifest.head(domain)`.

        Raises:
            InputMismatchError: the payload is not what the model takes.
            EngineError: the model cannot run it.
        """
        return self._run(self._prepared(payload), self._head(domain))

    def close(self) -> None:
        """Give the memory back."""
        del self._session

    def _head(self, domain: str) -> LabelHead:
        head = self.manifest.head(domain)
        if not isinstance(head, LabelHead):
            raise EngineError(f"{self.manifest.name} answers {domain} without labels")
        return head

    def _prepared(self, payload: Payload) -> Prepared:
        if kind_of(payload) != self.manifest.payload:
            raise InputMismatchError(
                f"{self.manifest.name} takes a {self.manifest.payload}, not a {kind_of(payload)}"
            )
        return self._prepare(payload)

    def _run(self, prepared: Prepared, head: LabelHead) -> NDArray[np.float32]:
        try:
            feeds = {self._input: prepared.tensor}
            (found,) = self._session.run([self._outputs[head.domain]], feeds)
        except _FAILURES as error:
            raise EngineError(
                f"{self.manifest.file} could not run on a prepared {self.manifest.payload}; "
                f"does [input] describe this model? onnxruntime says: {error}"
            ) from error
        scores = np.asarray(found, dtype=np.float32)
        if scores.size != len(head.labels) or not np.isfinite(scores).all():
            raise EngineError(
                f"output {head.domain} of {self.manifest.file} gave {scores.size} numbers; "
                f"{len(head.labels)} finite ones were expected, one for each label"
            )
        scores = scores.reshape(-1)
        return scores if head.scores == "probabilities" else _softmax(scores)

    def _output_of(self, head: LabelHead, shapes: dict[str, list[int | str | None]]) -> str:
        name = head.output or (next(iter(shapes)) if len(shapes) == 1 else "")
        if name not in shapes:
            raise ManifestError(
                f"head {head.domain} needs an output {head.output or '(none named)'!r}; "
                f"{self.manifest.file} has {', '.join(shapes)}"
            )
        count = shapes[name][-1] if shapes[name] else None
        if isinstance(count, int) and count != len(head.labels):
            raise ManifestError(
                f"output {name!r} of {self.manifest.file} has {count} values, but the head "
                f"{head.domain} has {len(head.labels)} labels"
            )
        return name


def _preparation(wanted: Input, folder: Path) -> Callable[[Payload], Prepared]:
    match wanted:
        case TextInput():
            return _text_preparation(wanted, folder)
        case WindowInput():
            for name in wanted.features:
                feature(name)  # an unknown one is found now, not at the first question
        case RecordInput() | PromptInput():
            pass

    def prepare(payload: Payload) -> Prepared:
        match payload, wanted:
            case Window(), WindowInput():
                return Prepared(window_numbers(payload, wanted), truncated=False)
            case Record(), RecordInput():
                return Prepared(record_numbers(payload, wanted), truncated=False)
            case _:
                raise InputMismatchError("the payload is not of the kind that the model takes")

    return prepare


def _text_preparation(wanted: TextInput, folder: Path) -> Callable[[Payload], Prepared]:
    pieces = read_lines(folder / wanted.vocabulary)
    try:
        tokenizer = WordPiece(pieces, max_tokens=wanted.max_tokens)
    except ValueError as error:
        raise ManifestError(f"{folder / wanted.vocabulary}: {error}") from error

    def prepare(payload: Payload) -> Prepared:
        if not isinstance(payload, Text):
            raise InputMismatchError("the model takes a text")
        tokens = tokenizer.encode(payload.text)
        return Prepared(np.array([tokens.ids], dtype=np.int64), tokens.truncated)

    return prepare


def _session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    with path.open("rb") as file:
        start = file.read(8)
    for magic, what in _MAGIC.items():
        if start.startswith(magic):
            raise EngineError(f"{path} is {what}; the engine onnxruntime takes ONNX files")
    options = onnxruntime.SessionOptions()
    # One question at a time on a small board: memory goes back after each one, and an idle
    # thread sleeps. onnxruntime issues 11627, 23339.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except _FAILURES as error:
        raise EngineError(
            f"{path} cannot be loaded as an ONNX model: it is cut short, of another kind, or "
            f"needs a newer onnxruntime than {onnxruntime.__version__}. It says: {error}"
        ) from error


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    powers = np.exp(logits.astype(np.float64) - logits.max())
    chances: NDArray[np.float32] = (powers / powers.sum()).astype(np.float32)
    return chances
