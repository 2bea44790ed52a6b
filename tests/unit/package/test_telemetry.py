"""Engines report to nobody: not over the network, and not into a file that is sent later."""

import os
import subprocess
import sys
from pathlib import Path

from tests.unit.package.packages import SHIPPED

LOAD = """\
import sys
from pathlib import Path
from broker.package.load import load_package
load_package(Path(sys.argv[1]))
print("loaded")
"""


def homes(tmp_path: Path, code: str, *words: str) -> tuple[str, list[str]]:
    """Run code with a home folder that is empty; what it says, and what is in that folder then."""
    kept = {name: text for name, text in os.environ.items() if "TELEMETRY" not in name}
    homeless = {name: text for name, text in kept.items() if not name.startswith("XDG_")}
    environment = homeless | {"HOME": str(tmp_path)}

    command = [sys.executable, "-c", code, *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)

    return done.stdout, [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")]


def test_a_model_that_is_loaded_leaves_nothing_in_the_home_folder(tmp_path: Path) -> None:
    said, left = homes(tmp_path, LOAD, str(SHIPPED / "commands-small"))

    assert (said, left) == ("loaded\n", [])


def test_the_doctors_look_leaves_nothing_either(tmp_path: Path) -> None:
    look = "parts._extra('device', ('onnxruntime',)).state"

    said, left = homes(tmp_path, f"from firstline.checks import parts; print({look})")

    assert (said, left) == ("ok\n", [])
