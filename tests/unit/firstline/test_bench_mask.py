"""`firstline bench mask`: the figures of made-up texts, the mistakes, the refusals."""

import dataclasses
import json
import sys
from pathlib import Path

import pytest

from firstline import cli
from firstline.bench.masking import Masking, measure
from firstline.bench.masking_data import Case
from firstline.exits import CommandError, ExitCode

MAIL = "Write to anna.berg@example.org soon."
NAME = "Ask Anna Berg about Oslo."
KEYS = ("entity_type", "start_position", "end_position")
CASES = [
    {
        "full_text": text,
        "template_id": 7,
        "spans": [dict(zip(KEYS, span, strict=True)) for span in spans],
    }
    for text, spans in (
        (MAIL, [("EMAIL_ADDRESS", 9, 30)]),
        (NAME, [("PERSON", 4, 13), ("ANIMAL", 20, 24)]),
        ("the host 10.20.30.40 is up", []),
    )
]


def write(folder: Path) -> str:
    path = folder / "texts.json"
    path.write_text(json.dumps(CASES), encoding="utf-8")
    return str(path)


def run(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    assert cli.main(["bench", "mask", *words, "--json"]) == ExitCode.OK
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    return found


def test_every_figure_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = run(capsys, "--data", write(tmp_path))

    assert set(found) == {each.name for each in dataclasses.fields(Masking)}
    assert (found["texts"], found["spans"]) == (3, 3)
    per_type = found["per_type"]
    assert isinstance(per_type, dict)
    assert per_type["EMAIL"] == {"precision": 1.0, "recall": 1.0, "f2": 1.0, "support": 1}
    assert per_type["IP"] == {"precision": 0.0, "recall": 0.0, "f2": 0.0, "support": 0}
    assert found["unknown_types"] == {"ANIMAL": 1}


def test_the_process_weighs_what_masking_weighs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = run(capsys, "--data", write(tmp_path))

    assert 5.0 < float(str(found["rss_mb"])) < 40.0
    assert 0.0 < float(str(found["init_s"])) < 5.0
    assert 0.0 < float(str(found["ms_mean"])) <= float(str(found["ms_p99"])) < 100.0


def test_mistakes_are_told_by_type_and_rule_without_the_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = run(capsys, "--data", write(tmp_path), "--errors", "9")

    errors = found["errors"]
    assert isinstance(errors, list)
    unlabelled = {"kind": "false", "labelled": "", "found": "IP", "rule": "IPv4", "count": 1}
    assert unlabelled in errors
    assert not any(word in json.dumps(found) for word in ("Anna", "10.20", "Oslo", "anna"))


def test_a_person_reads_figures_and_on_demand_the_texts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["bench", "mask", "--data", write(tmp_path), "--errors", "9", "--show-texts"]

    assert cli.main(command) == ExitCode.OK

    said = capsys.readouterr().out
    assert said.startswith("3 texts, 3 labelled spans\n")
    assert "nothing is meant to find ANIMAL: 1 labelled\n" in said
    assert "    the host [10.20.30.40] is up\n" in said


def test_labels_that_mark_nothing_are_left_out_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spans = [
        dict(zip(KEYS, span, strict=True)) for span in (("A", 3, 3), ("A", 3, 7), ("A", -1, 2))
    ]
    path = tmp_path / "texts.json"
    path.write_text(json.dumps([{"full_text": "hidden", "spans": spans}]), encoding="utf-8")

    found = run(capsys, "--data", str(path))

    assert (found["spans"], found["unusable_spans"]) == (0, 3)
    assert cli.main(["bench", "mask", "--data", str(path)]) == ExitCode.OK
    assert "left out: 3\n" in capsys.readouterr().out


def test_a_process_that_fails_gives_no_figures() -> None:
    with pytest.raises(CommandError, match="ended with code 3"):
        measure([Case(MAIL, ())], [sys.executable, "-c", "raise SystemExit(3)"])


FILES = {
    "no JSON": ("[{", "truncated"),
    "no list": ({"full_text": "a", "spans": []}, "Expected `array`"),
    "empty": ([], "no record in it"),
    "no text": ([{"spans": []}], "missing required field `full_text` - at `$[0]`"),
    "no spans": ([{"full_text": "a"}], "missing required field `spans` - at `$[0]`"),
    "a span without a type": (
        [{"full_text": "a", "spans": [{"start_position": 0, "end_position": 1}]}],
        "missing required field `entity_type` - at `$[0].spans[0]`",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_used_is_refused_with_its_place(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content, message = FILES[name]
    path = tmp_path / "texts.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")

    assert cli.main(["bench", "mask", "--data", str(path)]) == ExitCode.FAILURE

    said = capsys.readouterr().err
    assert message in said
    assert "secret" not in said
