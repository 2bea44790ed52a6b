"""Folders that only their owner can read. Imports nothing else: a bench weighs beside it."""

from pathlib import Path


def make_private(folder: Path) -> None:
    """Make a folder, and those above it, that only its owner can read."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(mode=0o700, exist_ok=True)
