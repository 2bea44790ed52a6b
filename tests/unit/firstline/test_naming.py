"""Names in the agent: opened with the first text, looked at before the agent starts."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agent.models.names import NamesError
from firstline.naming import finder_when_asked, names_faults
from firstline.shipped import NAMES

TEXT = "My name is Anna Kowalska."


def test_names_are_opened_with_the_first_text() -> None:
    code = f"""
import sys
from pathlib import Path
from firstline.naming import finder_when_asked
find = finder_when_asked([Path({str(NAMES / "en")!r})])
assert "pycrfsuite" not in sys.modules
assert [span.label for span in find({TEXT!r})] == ["PERSON"]
assert "pycrfsuite" in sys.modules
assert "pydantic" not in sys.modules
"""

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_folder_that_went_bad_fails_every_text(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(NAMES / "en", tmp_path / "en"))
    find = finder_when_asked([folder])
    (folder / "model.crf").write_bytes(b"x")

    for _ in range(2):
        with pytest.raises(NamesError, match=r"model\.crf"):
            find(TEXT)


def test_a_folder_that_cannot_be_used_is_a_fault_of_the_settings(tmp_path: Path) -> None:
    ((place, message),) = names_faults(["en", str(tmp_path)], tmp_path)

    assert place == ("agent", "names", 1)
    assert "names.toml" in message
