"""Packages for the tests: copies of shipped ones, and one that a user might bring."""

import hashlib
import shutil
from pathlib import Path

SHIPPED = Path(__file__).parents[3] / "firmware_configs" / "models"
RAW_WINDOW = Path(__file__).with_name("raw_window.onnx")  # mean over time of (1, 4, 2)
BROUGHT = """\
name = "mine"
version = "0.1.0"
kind = "classification"
engine = "onnxruntime"
file = "mine.onnx"
licence = "MIT"
ram_mb = 5

[files]
"mine.onnx" = "{model}"
"labels.txt" = "{labels}"

[input]
payload = "window"
channels = ["x", "y"]
length = 4
rate_hz = 100.0

[[heads]]
domain = "shaker/axis"
labels = "labels.txt"
"""


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def copy_of(name: str, to: Path) -> Path:
    """Copy a shipped package, to break it."""
    return Path(shutil.copytree(SHIPPED / name, to / name))


def brought(to: Path) -> Path:
    """Make the smallest package that a user could bring: no calibration, one unnamed output."""
    folder = to / "mine"
    folder.mkdir()
    shutil.copy(RAW_WINDOW, folder / "mine.onnx")
    (folder / "labels.txt").write_text("along x\nalong y\n", encoding="utf-8")
    hashes = {n: sha256(folder / f) for n, f in (("model", "mine.onnx"), ("labels", "labels.txt"))}
    (folder / "package.toml").write_text(BROUGHT.format(**hashes), encoding="utf-8")
    return folder


def edit(folder: Path, old: str, new: str) -> None:
    """Replace text in package.toml; the text must be there."""
    path = folder / "package.toml"
    before = path.read_text(encoding="utf-8")
    assert old in before
    path.write_text(before.replace(old, new, 1), encoding="utf-8")


def replace_weights(folder: Path, content: bytes) -> None:
    """Put other weights into a package and sign for them, as a careless packer would."""
    path = folder / "mine.onnx"
    old = sha256(path)
    path.write_bytes(content)
    edit(folder, old, sha256(path))
