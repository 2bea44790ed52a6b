"""A language model is calibrated on what it should have written."""

import csv
import json
from pathlib import Path

import pytest

from broker.package.load import load_package
from broker.package.manifest import load_manifest
from broker.wire.payload import Text
from firstline.exits import ExitCode
from tests.unit.firstline.calibrating.data import calibrate
from tests.unit.package.gguf_files import describe, write_model

RULES = 'root ::= "{\\"intent\\": \\"" ("on" | "off") "\\", \\"slots\\": {}}"'
TEXTS = [f"lamp {number}" for number in range(60)]


@pytest.fixture
def writer(tmp_path: Path) -> Path:
    """A model that writes an intent, by lot."""
    folder = tmp_path / "writer"
    folder.mkdir()
    write_model(folder / "model.gguf")
    (folder / "form.gbnf").write_text(RULES, encoding="utf-8")
    return describe(folder, {"domain": "any", "grammar": "form.gbnf", "max_tokens": 60})


def data(path: Path, column: str, cells: list[str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("text", column))
        rows.writerows(zip(TEXTS, cells, strict=True))
    return path


@pytest.mark.parametrize("column", ["intent", "answer"])
def test_what_the_rows_say_is_what_the_model_is_measured_by(
    writer: Path, tmp_path: Path, column: str
) -> None:
    model = load_package(writer)
    said = [json.loads(model.answer(Text(text), "any").answer)["intent"] for text in TEXTS]
    cells = [intent if n % 2 else "off" for n, intent in enumerate(said)]
    wrong = sum(intent != cell for intent, cell in zip(said, cells, strict=True))
    if column == "answer":
        cells = [json.dumps({"slots": {}, "intent": cell}) for cell in cells]

    assert calibrate(writer, data(tmp_path / "rows.csv", column, cells)) == ExitCode.OK

    curve = load_manifest(writer).head("any").curve
    assert curve is not None
    assert 0 < wrong < len(TEXTS)
    assert curve.samples == len(TEXTS)
    answered, risk = curve.risk_coverage[-1]
    assert (answered, risk) == (1.0, round(wrong / len(TEXTS), 4))
