"""The engine child: loads one model package and answers frames until its input closes.

    python -m agent.models.child PACKAGE THREADS PROFILE MAX_MEMORY_BYTES

Only this process imports numpy and the engine, so only it grows, and only it dies of them: when
memory runs out, the kernel takes this process first, and the agent goes on.
"""

import resource
import sys
import time
from pathlib import Path
from typing import BinaryIO

from agent.memory import give_back
from agent.models.pipe import Header, read_frame, write_frame
from broker.package.apart import manifest_apart
from broker.package.errors import PackageError, TooLateError
from broker.package.heads import Curve
from broker.package.load import open_package
from broker.package.model import PackageModel
from broker.package.wording import worded
from broker.wire.payload import PayloadKind, Shape, join


def main() -> int:
    """Serve until end of input; 1 if the package cannot be used."""
    package, threads, profile = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    _take_no_more_than(int(sys.argv[4]))
    asked, said = sys.stdin.buffer, sys.stdout.buffer
    try:
        manifest = manifest_apart(package)
        model = open_package(manifest, threads=threads, profile=profile)  # type: ignore[arg-type] # the agent wrote it
    except PackageError as error:
        write_frame(said, {"refused": str(error)})
        return 1
    give_back()  # loading weights takes them twice: agent/models/README.md
    write_frame(said, _hello(model))
    while _serve_one(model, asked, said):
        pass
    return 0


def _take_no_more_than(max_memory_bytes: int) -> None:
    """Limit this process, whatever limit the agent has; 0: to what there is.

    The limit counts writable memory (setrlimit(2), RLIMIT_DATA), not what a file backs: such pages
    can be dropped and read again.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limits = {max_memory_bytes or hard, hard} - {resource.RLIM_INFINITY}
    resource.setrlimit(resource.RLIMIT_DATA, (min(limits, default=hard), hard))


def _hello(model: PackageModel) -> Header:
    manifest = model.manifest
    heads = {head.domain: _trust(head.curve) for head in manifest.heads}
    return {
        "model": f"{manifest.name} {manifest.version}",
        "payload": manifest.payload,
        "heads": heads,
    }


def _trust(curve: Curve | None) -> Header:
    """A head's calibration: of the very weights that this process has loaded."""
    if curve is None:
        return {"knots": (), "risks": (), "samples": 0}
    return {"knots": curve.knots, "risks": curve.risk_table, "samples": curve.samples}


def _serve_one(model: PackageModel, asked: BinaryIO, said: BinaryIO) -> bool:
    try:
        header, content = read_frame(asked)
    except EOFError:
        return False
    write_frame(said, _answer(model, header, content))
    return True


def _answer(model: PackageModel, header: Header, content: bytes) -> Header:
    started_s = time.monotonic()
    shape = Shape(
        PayloadKind(str(header["kind"])),
        tuple(header["channels"]),  # type: ignore[arg-type] # the agent wrote it
        float(header["rate_hz"]),  # type: ignore[arg-type] # the agent wrote it
    )
    payload, domain = join(shape, content), str(header["domain"])
    deadline_s = started_s + float(header["patience_s"])  # type: ignore[arg-type] # the same
    try:
        found = model.answer(payload, domain, deadline_s=deadline_s)
    except TooLateError as error:
        return {"late": str(error)}
    except PackageError as error:
        return {"refused": str(error)}
    return {
        "answer": worded(found.answer, model.manifest.head(domain), payload),
        "score": found.score,
        "truncated": found.truncated,
        "out_of_scope": found.out_of_scope,
        "tokens": 0 if found.tokens is None else found.tokens[1],
    }


if __name__ == "__main__":
    sys.exit(main())
