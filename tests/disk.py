"""A disk that can lose its power between any two things that a program does to it.

What was written is there after a cut if the file was waited for, and has its name if the folder
was; of the rest all may be there, as after a SIGKILL, or nothing: see `lose`.
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

STEPS = (
    "fdatasync",
    "fsync",
    "ftruncate",
    "link",
    "mkdir",
    "posix_fallocate",
    "pwrite",
    "rename",
    "replace",
    "unlink",
)


class PowerCut(BaseException):
    """Here it ends."""


@dataclass
class Disk:
    """What is on the disk under a folder, whatever happens.

    Args:
        root: The folder; what is there now is there.
        cut_at: The step before which the power is cut, counted from 1; 0: never.
    """

    root: Path
    cut_at: int = 0
    steps: list[str] = field(default_factory=list)
    _files: dict[int, bytes] = field(default_factory=dict)  # by inode, as last waited for
    _folders: dict[int, dict[str, int]] = field(default_factory=dict)  # by inode: name -> inode
    _held: list[int] = field(default_factory=list)  # descriptors, so that no inode comes again

    def __post_init__(self) -> None:
        for folder, _, files in os.walk(self.root):
            for name in files:
                self._sync(Path(folder) / name)
            self._sync(Path(folder))

    def runs(self, work: Callable[[], object]) -> bool:
        """Do something on it; whether it came to its end."""
        with pytest.MonkeyPatch.context() as patch:
            for name in STEPS:
                patch.setattr(os, name, self._seen(name, getattr(os, name)))
            try:
                work()
            except PowerCut:
                return False
        return True

    def lose(self) -> None:
        """Let nothing be there but what was waited for."""
        top = self.root.stat().st_ino
        for path in self.root.iterdir():
            shutil.rmtree(path)
        self._restore(top, self.root)

    def _restore(self, inode: int, folder: Path) -> None:
        for name, each in self._folders[inode].items():
            if each in self._folders:
                (folder / name).mkdir()
                self._restore(each, folder / name)
            else:
                (folder / name).write_bytes(self._files.get(each, b""))

    def __del__(self) -> None:
        for descriptor in self._held:
            os.close(descriptor)

    def _seen(self, name: str, do: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - as os has it
            self.steps.append(name)
            if len(self.steps) == self.cut_at:
                raise PowerCut
            found = do(*arguments, **options)
            if name in ("fsync", "fdatasync"):
                self._sync(Path(f"/proc/self/fd/{arguments[0]}"))
            return found

        return step

    def _sync(self, path: Path) -> None:
        descriptor = os.open(path, os.O_RDONLY)
        self._held.append(descriptor)
        found = os.fstat(descriptor)
        if path.is_dir():
            entries = list(os.scandir(path))
            self._folders[found.st_ino] = {each.name: each.inode() for each in entries}
            for each in entries:
                if each.is_dir():
                    self._folders.setdefault(each.inode(), {})
        else:
            self._files[found.st_ino] = os.pread(descriptor, found.st_size, 0)
