"""Files that are there whole or not at all."""

import os
import tempfile
from pathlib import Path
from typing import Final

_NAMED: Final = 32  # characters of a name: it may be as long as a name can be


def write_whole(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Write a file so that a reader or a power cut sees all of it or nothing.

    Raises:
        OSError: it cannot be written.
    """
    # mkstemp makes it 0600; the name is one that a watched folder passes over.
    prefix = f".{path.name[:_NAMED]}."
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=prefix, suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), mode)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def write_durably(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all, and wait until the disk has it and its name.

    Raises:
        OSError: it cannot be written.
    """
    write_whole(path, content)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)  # a rename is durable only when its folder is
    finally:
        os.close(descriptor)


def sweep(folder: Path, name: str = "") -> None:
    """Remove what was being written when its writer was ended; who calls is the only writer.

    Args:
        folder: Where.
        name: How the names of the files begin; empty: all.

    Raises:
        OSError: it cannot be removed.
    """
    for begun in folder.glob(f".{name}*.tmp"):
        begun.unlink(missing_ok=True)
