"""A regressor is calibrated on numbers: what is within the tolerance is right."""

import json
from pathlib import Path

import pytest

from firstline import cli
from firstline.exits import ExitCode
from tests.unit.firstline.packed import brought, pack

FIELDS = ("--number", "a", "--number", "b", "--tolerance", "0.5")


def test_numbers_within_the_tolerance_are_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack(brought("sklearn_regressor", tmp_path), *FIELDS)
    rows = [f"{n / 10},1,{n / 5 + 2 + (2 if n % 4 == 0 else 0.3)}" for n in range(120)]
    (tmp_path / "data.csv").write_text("\n".join(["a,b,label", *rows]) + "\n")
    capsys.readouterr()
    data = ["--data", str(tmp_path / "data.csv"), "--json"]

    assert cli.main(["model", "calibrate", str(tmp_path / "package"), *data]) == 0

    document = json.loads(capsys.readouterr().out)
    assert "0.75" in json.dumps(document)  # three of four are within 0.5


def test_a_label_that_is_no_number_is_told_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack(brought("sklearn_regressor", tmp_path), *FIELDS)
    (tmp_path / "data.csv").write_text("a,b,label\n1,1,4\n1,1,warm\n")
    data = ["--data", str(tmp_path / "data.csv")]

    assert cli.main(["model", "calibrate", str(tmp_path / "package"), *data]) == ExitCode.FAILURE

    assert "data.csv:3" in capsys.readouterr().err
