"""An ONNX file in onnxruntime; the only module that imports it.

What is set, and what each setting buys, is measured in agent/models/README.md.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

# Since 1.31 its wheels for Linux report to Microsoft unless this is set before they are imported,
# and keep what they have not sent in a database below ~/.cache. Nothing leaves a board unasked.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as state

from broker.package.errors import EngineError
from broker.package.foreign import LONGEST_MAGIC, foreign
from broker.package.nodes import Node
from broker.package.profile import Profile

Output = NDArray | Sequence[Mapping[int | str, float]]  # type: ignore[type-arg] # of any dtype

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
_ERRORS_ONLY: Final = 3  # log severity: the exceptions already say what is wrong


class Session:
    """One ONNX file, loaded. Use from one thread."""

    def __init__(self, path: Path, *, threads: int, profile: Profile = "fast") -> None:
        """Load it; `threads` is for one run.

        Raises:
            EngineError: it is no ONNX model, or not one that this onnxruntime can run.
        """
        with path.open("rb") as file:
            what = foreign(file.read(LONGEST_MAGIC))
        if what:
            raise EngineError(f"{path} is {what}; the engine onnxruntime takes ONNX files")
        self._path = path
        try:
            self._session = onnxruntime.InferenceSession(
                path, _options(threads, profile), providers=["CPUExecutionProvider"]
            )
        except _FAILURES as error:
            raise EngineError(f"{path} {_cause(str(error))} It says: {error}") from error
        self.inputs = tuple(map(_node, self._session.get_inputs()))
        self.outputs = tuple(map(_node, self._session.get_outputs()))

    def run(self, names: Sequence[str], feeds: Mapping[str, NDArray]) -> list[Output]:  # type: ignore[type-arg] # of any dtype
        """Compute the outputs of these names.

        Raises:
            EngineError: the model does not take such tensors.
        """
        try:
            found: list[Output] = self._session.run(list(names), dict(feeds))
        except _FAILURES as error:
            raise EngineError(
                f"{self._path.name} could not run on what was prepared for it; "
                f"does [input] describe this model? onnxruntime says: {error}"
            ) from error
        return found


def _cause(said: str) -> str:
    """Why a model does not load, as far as onnxruntime tells."""
    if "locale" in said:  # of StringNormalizer, such as en_US.UTF-8 for scikit-learn's texts
        return (
            "needs a locale that this machine does not have: install it (on Debian "
            "`sudo dpkg-reconfigure locales`), or export the model without lowercase=True."
        )
    return (
        "cannot be loaded as an ONNX model: it is cut short, of another kind, or needs a newer "
        f"onnxruntime than {onnxruntime.__version__}."
    )


def _options(threads: int, profile: Profile) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    # One question at a time on a small board: memory goes back after each one, and an idle
    # thread sleeps. onnxruntime issues 11627, 23339.
    options.enable_cpu_mem_arena = False
    options.enable_mem_pattern = False
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if profile == "low_memory":
        # Weights stay as the file has them: with external data, pages that the kernel may drop.
        options.add_session_config_entry("session.disable_prepacking", "1")
    return options


def _node(found: onnxruntime.NodeArg) -> Node:
    sizes = found.shape if found.shape is not None else ()
    shape = tuple(size if isinstance(size, int) and size > 0 else None for size in sizes)
    return Node(found.name, found.type, shape)
