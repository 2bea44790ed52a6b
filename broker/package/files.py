"""The files of a package on disk: are they the ones that were packed, and what do they list?

Weights are hashed before an engine parses them: an engine is written for good files.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from broker.package.errors import DamagedFileError, ManifestError

PACKAGE_FILE = "package.toml"
_BLOCK_BYTES = 1 << 20  # read at once while hashing


def verify_files(folder: Path, files: Iterable[tuple[str, str]]) -> None:
    """Check that each (name, SHA-256) of a package is the file that was packed.

    Raises:
        DamagedFileError: a file is missing, cut short or altered.
    """
    for name, expected in files:
        path = folder / name
        if not path.is_file():
            raise DamagedFileError(f"{path} is missing; copy the package {folder.name} again")
        if sha256(path) != expected:
            raise DamagedFileError(
                f"{path} ({path.stat().st_size} bytes) is not the file that was packed: its "
                f"SHA-256 differs from {PACKAGE_FILE}. Copy the package {folder.name} again, "
                "or pack it anew if you changed it"
            )


def read_lines(path: Path) -> tuple[str, ...]:
    """Read a file of one label or piece per line.

    Raises:
        ManifestError: it is missing, empty, not UTF-8, or has a line twice.
    """
    try:
        lines = tuple(path.read_text(encoding="utf-8").splitlines())
    except FileNotFoundError as error:
        raise ManifestError(f"{path} is missing, although {PACKAGE_FILE} names it") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path} cannot be read as UTF-8 text: {error}") from error
    if not lines or "" in lines:
        raise ManifestError(f"{path} must have one entry on every line, and no empty line")
    if len(set(lines)) < len(lines):
        raise ManifestError(f"{path} has a line twice; each entry must be unique")
    return lines


def sha256(path: Path) -> str:
    """Hash a file without holding it in memory; lower-case hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
