"""Packages without a calibration."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from firstline import cli
from tests.unit.firstline.calibrating.data import LABELS
from tests.unit.firstline.onnx_file import write_first_tokens, write_identity


@pytest.fixture
def package(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A record model that says which of a, b and c is largest."""
    write_identity(tmp_path / "model.onnx", numbers=3)
    words = ["--name", "largest", "--domain", "home/largest", "--payload", "record"]
    fields = ["--number", "a", "--number", "b", "--number", "c"]
    folder = packed(tmp_path, LABELS, *words, *fields)
    capsys.readouterr()
    return folder


@pytest.fixture
def text_package(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A text model of four tokens that says which of the first three is largest."""
    write_first_tokens(tmp_path / "model.onnx", labels=3)
    (tmp_path / "pieces.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\nhello\nworld\n")
    words = ["--name", "tokens", "--domain", "home/tokens", "--payload", "text"]
    pieces = ["--vocabulary", str(tmp_path / "pieces.txt"), "--max-tokens", "4"]
    folder = packed(tmp_path, LABELS, *words, *pieces)
    capsys.readouterr()
    return folder


@pytest.fixture
def window_package(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A model of windows of two samples."""
    write_identity(tmp_path / "model.onnx", numbers=2)
    words = ["--name", "shaking", "--domain", "home/shaking", "--payload", "window"]
    shape = ["--channel", "x", "--length", "2", "--rate-hz", "10"]
    features = ["--feature", "rms", "--feature", "kurtosis"]
    folder = packed(tmp_path, ("calm", "wild"), *words, *shape, *features)
    capsys.readouterr()
    return folder


def packed(tmp_path: Path, labels: Sequence[str], *words: str) -> Path:
    """Pack model.onnx, with a domain of the package's name."""
    (tmp_path / "labels.txt").write_text("\n".join(labels) + "\n")
    folder = tmp_path / "package"
    places = ["--labels", str(tmp_path / "labels.txt"), "--out", str(folder)]
    assert cli.main(["model", "pack", str(tmp_path / "model.onnx"), *words, *places]) == 0
    return folder
