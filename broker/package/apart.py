"""A manifest, read in a process that takes its memory with it: pydantic's 15 MiB.

    engine child --fork--> parse --pickle, through a pipe--> Manifest

For a process that is small and has one thread still: forking it takes a millisecond, and what
the copy imports is gone when it ends.
"""

import os
import pickle
from pathlib import Path

from broker.package.errors import EngineError, PackageError
from broker.package.manifest import Manifest, load_manifest


def manifest_apart(folder: Path) -> Manifest:
    """Read and check a package's description, and forget what that took.

    Raises:
        PackageError: see `load_manifest`; or the process that read it ended.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        _write(folder, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        content = pipe.read()
    _, status = os.waitpid(pid, 0)
    if status != 0:
        code = os.waitstatus_to_exitcode(status)
        raise EngineError(f"{folder} could not be read: the process ended with code {code}")
    found = pickle.loads(content)  # noqa: S301 - our own code wrote it, from checked values
    if isinstance(found, PackageError):
        raise found
    assert isinstance(found, Manifest)  # noqa: S101 - it writes nothing else
    return found


def _write(folder: Path, writing: int) -> None:
    """In the copy: parse, write, and end without anything that the original has to do."""
    code = 1
    try:
        with os.fdopen(writing, "wb") as pipe:
            pickle.dump(_parsed(folder), pipe)
        code = 0
    finally:
        os._exit(code)


def _parsed(folder: Path) -> Manifest | PackageError:
    try:
        return load_manifest(folder)
    except PackageError as error:
        return error
