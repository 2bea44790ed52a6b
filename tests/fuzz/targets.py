"""Every parser of outside bytes."""

from collections.abc import Mapping
from pathlib import Path

from tests.fuzz.files import file_targets
from tests.fuzz.joining import joining_targets
from tests.fuzz.releases import release_targets
from tests.fuzz.target import Target
from tests.fuzz.wire import wire_targets


def all_targets(folder: Path) -> Mapping[str, Target]:
    """All of them, with the files that they need in a folder."""
    for name in ("wire", "files", "releases"):
        (folder / name).mkdir()
    return {
        **wire_targets(folder / "wire"),
        **joining_targets(),
        **file_targets(folder / "files"),
        **release_targets(folder / "releases"),
    }
