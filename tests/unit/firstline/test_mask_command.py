"""`firstline mask`: exactly what would leave, and nothing of the original."""

import json
import subprocess
import sys

import pytest

from firstline import cli
from firstline.exits import ExitCode

TEXT = "mail bob@example.org or bob@example.org, call +49 170 1234567"
RECORD = '{"speed": 1.5, "driver": "Bob", "note": "ask bob@example.org", "vin": 7}'


def test_what_leaves_and_why_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["mask", TEXT]) == 0

    out = capsys.readouterr().out
    assert out.splitlines()[0] == "mail <EMAIL_1> or <EMAIL_1>, call <PHONE_1>"
    assert "<EMAIL_1>    EMAIL  at sign        1.00   text" in out
    assert "<PHONE_1>    PHONE  international  1.00   text" in out
    assert "bob" not in out
    assert "170" not in out


def test_originals_are_printed_on_demand_only(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["mask", TEXT, "--json"])
    without = json.loads(capsys.readouterr().out)
    cli.main(["mask", TEXT, "--json", "--show-originals"])
    with_originals = json.loads(capsys.readouterr().out)

    assert "originals" not in without
    assert with_originals == {
        **without,
        "originals": {"<EMAIL_1>": "bob@example.org", "<PHONE_1>": "+49 170 1234567"},
    }
    assert without["leaves"] == "mail <EMAIL_1> or <EMAIL_1>, call <PHONE_1>"
    assert without["replaced"][2] == {
        "placeholder": "<PHONE_1>",
        "label": "PHONE",
        "rule": "international",
        "score": 1.0,
        "field": "",
        "fate": "masked",
    }


def test_originals_are_a_column_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["mask", TEXT, "--show-originals"])

    assert "where  original\n" in capsys.readouterr().out


def test_nothing_personal_is_said_so(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["mask", "turn the light on"])

    assert capsys.readouterr().out == "turn the light on\n\nNothing was replaced.\n"


def test_standard_input_is_read_for_a_dash() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "firstline", "mask", "-"],
        input="write to\nbob@example.org",
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.splitlines()[0] == "write to <EMAIL_1>"


def test_fields_follow_their_rules(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--keep", "speed", "--keep", "note", "--pseudonymize", "vin", "--json"]

    assert cli.main(["mask", "--record", RECORD, *words]) == 0

    document = json.loads(capsys.readouterr().out)
    assert document["leaves"] == {"speed": 1.5, "note": "ask <EMAIL_1>", "vin": "<VIN_1>"}
    assert document["dropped"] == ["driver"]


def test_a_field_with_two_rules_gets_the_safest(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--keep", "driver", "--drop", "driver", "--keep", "vin", "--pseudonymize", "vin"]

    cli.main(["mask", "--record", RECORD, *words, "--json"])

    assert json.loads(capsys.readouterr().out)["leaves"] == {"vin": "<VIN_1>"}


def test_other_fields_follow_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["mask", "--record", RECORD, "--default", "keep", "--drop", "driver"])

    out = capsys.readouterr().out
    assert "speed = 1.5\nnote = ask <EMAIL_1>\nvin = 7.0\n" in out
    assert "Dropped, stays on the device: driver" in out


def test_what_cleaning_changed_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["mask", "--record", '{"on": true}', "--keep", "on"])

    assert "Cleaned: field 'on': boolean became a number" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["x", "--record", "{}"], []])
def test_a_text_or_a_record_but_not_both(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["mask", *words]) == ExitCode.USAGE

    assert "Give a TEXT, a --record or an --image" in capsys.readouterr().err


def test_input_that_cannot_be_used_is_told_without_its_content(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["mask", "--record", '{"bob@example.org": null}']) == ExitCode.FAILURE

    printed = capsys.readouterr()
    assert printed.err.startswith("firstline: Field number 1 is null.")
    assert "bob" not in printed.err
    assert printed.out == ""
