"""Reading labelled sentences: every refusal names the file, and the line where there is one."""

from pathlib import Path

import pytest

from firstline.bench.labelled import DataError, Labelled, check_labels, read_labelled


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rows.csv"


def test_columns_are_found_by_name(path: Path) -> None:
    path.write_text("\ufeffintent,note,text\nlamp_on,x,light up the hall\n\nlamp_off,y, dark \n")

    assert read_labelled(path) == [
        Labelled(2, "light up the hall", "lamp_on"),
        Labelled(4, "dark", "lamp_off"),
    ]


def test_a_row_over_two_lines_is_named_by_its_first(path: Path) -> None:
    path.write_text('text,intent\n"up\nand down",lift\nstop,lift\n')

    assert [(row.line, row.text) for row in read_labelled(path)] == [
        (2, "up\nand down"),
        (4, "stop"),
    ]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", ": the file is empty"),
        (b"text,intent\n", ": there are no rows"),
        (b"text,label\nhello,x\n", ":1: no column intent;"),
        (b"hello\n", ":1: no column text and no column intent;"),
        (b"text,intent\nhello,x\n,x\n", ":3: no text"),
        (b"text,intent\nhello,x\n\nhello\n", ":4: no intent"),
        (b"text,intent\n\xff\xfe,x\n", ": not UTF-8"),
        (b'text,intent\n"hello,x\n', ": not a CSV file"),
    ],
)
def test_bad_files_are_refused(path: Path, content: bytes, says: str) -> None:
    path.write_bytes(content)

    with pytest.raises(DataError) as caught:
        read_labelled(path)

    assert str(caught.value).startswith(f"{path}{says}")


def test_unknown_labels_are_named_with_their_first_line_and_their_number(path: Path) -> None:
    rows = [Labelled(line, "x", label) for line, label in enumerate(["a", "b", "c", "b"], start=2)]

    with pytest.raises(DataError) as caught:
        check_labels(path, rows, ("a",), "tiny")

    assert str(caught.value) == (
        f"{path}:3: tiny has no label 'b' (rows with it: 2); "
        f"{path}:4: tiny has no label 'c' (rows with it: 1)"
    )


def test_many_unknown_labels_are_counted(path: Path) -> None:
    rows = [Labelled(number, "x", f"label {number}") for number in range(2, 10)]

    with pytest.raises(DataError, match="; and 3 more labels"):
        check_labels(path, rows, (), "tiny")


def test_known_labels_pass(path: Path) -> None:
    check_labels(path, [Labelled(2, "x", "a")], ("a", "b"), "tiny")
