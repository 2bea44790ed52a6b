"""`firstline mask` with --explain, with a task's own rules, on much text, and on images."""

import json
from pathlib import Path

import pytest

from firstline import cli
from firstline.exits import ExitCode
from tests.unit.core.pictures import SECRET, full

SETTINGS = """\
[agent]
names = []
[models.small]
package = "commands-small"

[models.snapshot]
package = "snapshot-small"

[models.engine]
package = "engine-small"

[[tasks]]
name = "home"
model = "small"
domain = "home"
max_chars = 80
input = { kind = "stdin" }
output = { kind = "stdout" }

[tasks.mask]
types = { DATE = "generalize", EMAIL = "drop" }
deny = ["Blue Falcon"]
allow_file = "allow.txt"

[[tasks]]
name = "snapshot"
model = "snapshot"
domain = "engines/snapshot"
payload = "record"
max_error = 0.3
input = { kind = "folder", path = "in" }
output = { kind = "stdout" }

[tasks.mask]
default = "keep"
fields = { "*serial" = "pseudonymize", owner = "drop" }
"""
TEXT = "Blue Falcon, 10:33: mail a@b.com or info@example.org by 12 March 2020"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    path = tmp_path / "agent.toml"
    path.write_text(SETTINGS)
    (tmp_path / "allow.txt").write_text("info@example.org\n")
    return path


def test_explaining_tells_the_fate_of_all_that_was_found(
    settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["mask", TEXT, "--settings", str(settings), "--task", "home", "--explain"]

    assert cli.main([*words, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert cli.main(words) == 0
    out = capsys.readouterr().out

    assert document["leaves"] == (
        "<DENIED_1>, 10:33: mail <REMOVED> or info@example.org by March 2020"
    )
    fates = [(each["label"], each["placeholder"], each["fate"]) for each in document["found"]]
    assert fates == [
        ("DENIED", "<DENIED_1>", "masked"),
        ("EMAIL", "<REMOVED>", "dropped"),
        ("DATE", "March 2020", "generalized"),
        ("TIME", "", "kept"),
        ("EMAIL", "", "allowed"),
    ]
    rows = [" ".join(line.split()) for line in out.splitlines()]
    assert "placeholder label rule score where became won over" in rows
    assert "<DENIED_1> DENIED deny list 1.00 text masked -" in rows
    assert "a@b.com" not in out
    assert "Falcon" not in out


def test_explaining_tells_what_a_span_won_over(capsys: pytest.CaptureFixture[str]) -> None:
    text = "see https://example.org/?user=bob@example.org"

    cli.main(["mask", text, "--explain", "--json"])

    (found,) = json.loads(capsys.readouterr().out)["found"]
    assert found["label"] == "URL"
    assert [each["label"] for each in found["won_over"]] == ["EMAIL"]


def test_what_was_found_and_left_is_counted_without_explaining(
    capsys: pytest.CaptureFixture[str],
) -> None:
    cli.main(["mask", "wake me at 10:33"])

    assert "Found, and left as it is: 1 (--explain tells what)" in capsys.readouterr().out


def test_a_record_follows_the_fields_of_its_task(
    settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = '{"engine": {"serial": "X1", "speed": 2}, "owner": {"name": "Bob"}}'
    words = ["--settings", str(settings), "--task", "snapshot", "--json"]

    assert cli.main(["mask", "--record", record, *words]) == 0

    document = json.loads(capsys.readouterr().out)
    assert document["leaves"] == {"engine.serial": "<ENGINE_SERIAL_1>", "engine.speed": 2.0}
    assert document["dropped"] == ["owner.name"]


def test_a_task_cuts_its_text_as_the_agent_would(
    settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--settings", str(settings), "--task", "home", "--json"]

    cli.main(["mask", "turn on " * 20, *words])

    assert json.loads(capsys.readouterr().out)["changes"] == ["truncated to 79 of 159 characters"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "say which task: there is home, snapshot"),
        (["--task", "garden"], "say which task: there is home, snapshot"),
        (["--task", "home", "--keep", "x"], "rules stand in the settings"),
        (["--task", "home", "--default", "keep"], "rules stand in the settings"),
    ],
)
def test_a_task_must_be_named_and_has_its_own_rules(
    settings: Path, words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["mask", "x", "--settings", str(settings), *words]) == ExitCode.USAGE

    assert told in capsys.readouterr().err


def test_a_list_that_is_missing_is_an_error_of_the_settings(
    settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (settings.parent / "allow.txt").unlink()

    code = cli.main(["mask", "x", "--settings", str(settings), "--task", "home"])

    assert code == ExitCode.SETTINGS
    assert "allow.txt: No such file" in capsys.readouterr().err


def test_a_field_may_be_made_coarser(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["mask", "--record", '{"age": 43}', "--generalize", "age", "--json"])

    assert json.loads(capsys.readouterr().out)["leaves"] == {"age": 40.0}


def test_megabytes_of_text_are_read_whole(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "text").write_text("turn the light on " * 60_000 + "mail bob@example.org")
    with (tmp_path / "text").open() as text:
        monkeypatch.setattr("sys.stdin", text)

        assert cli.main(["mask", "-", "--json"]) == 0

    document = json.loads(capsys.readouterr().out)
    assert document["leaves"].endswith("mail <EMAIL_1>")
    assert len(document["leaves"]) > 1_000_000


def test_an_image_loses_what_is_not_the_picture(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given, clean = tmp_path / "given.jpg", tmp_path / "clean.jpg"
    given.write_bytes(full("JPEG"))

    assert cli.main(["mask", "--image", str(given), "--output", str(clean), "--json"]) == 0

    document = json.loads(capsys.readouterr().out)
    assert (document["kind"], document["bytes"]) == ("JPEG", clean.stat().st_size)
    assert document["removed"]["GPS"] == 1
    assert SECRET not in clean.read_bytes()
    assert given.read_bytes() == full("JPEG")

    assert cli.main(["mask", "--image", str(clean), "--output", str(clean)]) == 0

    assert "Removed: nothing, there was nothing\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--image", "a.gif", "--output", "x"], ExitCode.FAILURE, "The GIF is cut short"),
        (["--image", "a.gif"], ExitCode.USAGE, "Say where the clean image goes"),
        (["--image", "none.gif", "--output", "x"], ExitCode.FAILURE, "No such file"),
    ],
)
def test_an_image_that_cannot_be_cleaned_leaves_no_file(
    words: list[str], code: ExitCode, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("a.gif").write_bytes(b"GIF89a")

    assert cli.main(["mask", *words]) == code

    assert told in capsys.readouterr().err
    assert not Path("x").exists()
