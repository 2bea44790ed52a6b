"""A file of labelled data: what is read, and what is refused with its line."""

import json
from pathlib import Path

import pytest

from broker.package.load import load_package
from broker.package.manifest import load_manifest
from broker.wire.payload import Record
from firstline.exits import ExitCode
from tests.unit.firstline.calibrating.data import HEADER, calibrate, rows, window, written


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("",), "data.csv:1: there is no column a, b, c, label; the first line names the columns"),
        (("a,b,label", "1,2,low"), "data.csv:1: there is no column c"),
        (
            ("a,b,c,a,label", "1,2,3,4,low"),
            "data.csv:1: it is not clear which column to take for a",
        ),
        ((HEADER,), "data.csv has no labelled row"),
        ((HEADER, "1,2,3,low", "", "1,2,3,"), "data.csv:4: the row has no label"),
        ((HEADER, "1,2,low"), "data.csv:2: 3 cells, but 4 columns"),
        ((HEADER, "1,2,much,low"), "data.csv:2: field c is not a number"),
        ((HEADER, "1,2,nan,low"), "data.csv:2: field c is not a finite number"),
        ((HEADER, '1,2,"3,low'), "data.csv:2: this is not valid CSV"),
        (
            (HEADER, "1,2,3,low", "1,2,3,odd", "1,2,3,odd", "1,2,3,bad"),
            "data.csv:3: largest has no label 'odd' (2), 'bad' (1): 3 of 4 rows",
        ),
    ],
)
def test_wrong_data_is_refused_with_its_line_and_nothing_is_written(
    package: Path,
    tmp_path: Path,
    lines: tuple[str, ...],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert calibrate(package, written(tmp_path, *lines)) == ExitCode.FAILURE

    assert message in capsys.readouterr().err
    assert not (package / "calibration.json").exists()


def test_many_wrong_rows_are_counted(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert calibrate(package, written(tmp_path, HEADER, *["1,2,3,"] * 25)) == ExitCode.FAILURE

    err = capsys.readouterr().err
    assert err.count("the row has no label") == 10
    assert "and 15 more rows like these" in err


def test_data_that_is_not_utf_8_is_refused(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data.csv").write_bytes(b"a,b,c,label\n1,2,3,l\xf6w\n")

    assert calibrate(package, tmp_path / "data.csv") == ExitCode.FAILURE

    assert "data.csv is not UTF-8" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("text,intent,label", "hello,low,low"), "which column to take for intent, label"),
        (("text,intent", '"two\nlines",low', " ,low"), "data.csv:4: the text is empty"),
        (("words,label", "hello,low"), "data.csv:1: there is no column text"),
        (("text,class", "hello,low"), "data.csv:1: there is no column intent or label"),
    ],
)
def test_wrong_texts_are_refused(
    text_package: Path,
    tmp_path: Path,
    lines: tuple[str, ...],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert calibrate(text_package, written(tmp_path, *lines)) == ExitCode.FAILURE

    assert message in capsys.readouterr().err


def test_columns_that_the_model_does_not_take_are_passed_over(
    package: Path, tmp_path: Path
) -> None:
    data = written(tmp_path, f"id,{HEADER}", *(f"7,{row}" for row in rows(120)))

    assert calibrate(package, data) == 0

    assert load_manifest(package).heads[0].curve is not None


def test_windows_are_read_from_lines_of_json(window_package: Path, tmp_path: Path) -> None:
    lines = [
        window(samples=[[0.1], [n / 10]], label="wild" if n % 3 else "calm") for n in range(150)
    ]

    assert calibrate(window_package, written(tmp_path, *lines)) == 0

    curve = load_manifest(window_package).heads[0].curve
    assert curve is not None
    assert curve.samples == 150


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (window(label=None), "data.csv:2: the row has no label"),
        (window(rate_hz=20), "data.csv:2: the window was sampled at 20 Hz"),
        (window(samples=[[1.0]]), "data.csv:2: the window has 1 samples"),
        (window(samples=[[1.0], [1e300]]), "data.csv:2: a sample is too large"),
        (window()[:-5], "data.csv:2: Invalid JSON"),
        ("x,y", "data.csv:2: A window in JSON lacks"),
    ],
)
def test_wrong_windows_are_refused(
    window_package: Path,
    tmp_path: Path,
    line: str,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert calibrate(window_package, written(tmp_path, window(), line)) == ExitCode.FAILURE

    assert message in capsys.readouterr().err


def test_a_folder_of_data_is_refused(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert calibrate(package, tmp_path) == ExitCode.FAILURE

    assert "is a folder" in capsys.readouterr().err


def test_rows_out_of_scope_are_taken_and_count_as_wrong(package: Path, tmp_path: Path) -> None:
    data = written(tmp_path, HEADER, *rows(200), *["1,9,1,oos"] * 50)

    assert calibrate(package, data) == 0

    curve = load_manifest(package).heads[0].curve
    assert curve is not None
    assert curve.samples == 250
    assert curve.risk_table[-1][1] == 250  # it has no label to call them, so it keeps them
    assert curve.risk_table[-1][2] >= 50
    assert curve.scope_threshold is None


def test_rows_out_of_scope_teach_a_model_with_a_label_for_them_to_ask(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    described = package / "package.toml"
    described.write_text(described.read_text() + 'out_of_scope = "high"\n')
    inside = ["6,1,0,low", "1,6,0,mid"] * 100
    data = written(tmp_path, HEADER, *inside, *["3,0,2.5,high"] * 20)

    assert calibrate(package, data, "--json") == 0

    said = json.loads(capsys.readouterr().out)
    assert 0.0 < said["scope_threshold"] < 0.1
    assert said["asked"] == 20  # though "low" is the likeliest label of each
    curve = load_manifest(package).heads[0].curve
    assert curve is not None
    assert curve.scope_threshold == said["scope_threshold"]
    assert curve.risk_table[-1] == (0.0, 200, 0)
    found = load_package(package).answer(Record({"a": 3.0, "b": 0.0, "c": 2.5}), "home/largest")
    assert (found.answer, found.out_of_scope) == ("low", True)
