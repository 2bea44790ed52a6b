"""`firstline model calibrate`: a packed model that nobody trusts becomes one that a gate uses."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.core.find import find
from agent.core.gate import GatePolicy, route
from agent.core.mask import mask
from agent.core.policy import FieldRule, MaskRules
from agent.models.engine import Engine
from agent.stages import Clean, Decision, Draft, Escalate, Keep, Masked
from broker.package.manifest import load_manifest
from broker.wire.payload import Payload, Record
from firstline.exits import ExitCode
from firstline.shipped import MODELS
from tests.unit.firstline.calibrating.data import HEADER, calibrate, rows, written

POLICY = GatePolicy(max_error=0.05)


def masked(payload: Payload) -> Masked:
    return mask(Clean(payload), MaskRules(default=FieldRule.KEEP), find).masked


def routed(package: Path, question: Record) -> tuple[Draft, Decision]:
    engine = Engine(package, timeout_s=30.0)
    try:
        draft = engine.draft(masked(question), "home/largest")
        trust = engine.calibration("home/largest")
        return draft, route(draft, trust, POLICY, budget=None, lot=1.0)
    finally:
        engine.stop()


def test_a_packed_model_is_trusted_where_it_was_measured_to_be_right(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sure, unsure = Record({"a": 7.5, "b": 0.0, "c": 0.0}), Record({"a": 0.5, "b": 0.0, "c": 0.0})
    assert isinstance(routed(package, sure)[1], Escalate)

    assert calibrate(package, written(tmp_path, HEADER, *rows(600)), "--json") == 0

    said = json.loads(capsys.readouterr().out)
    stored = json.loads((package / "calibration.json").read_text())["heads"]["home/largest"]
    assert isinstance(routed(package, sure)[1], Keep)
    assert isinstance(routed(package, unsure)[1], Escalate)
    assert (said["samples"], said["loose"], said["warnings"]) == (600, False, [])
    assert [each["max_error"] for each in said["certified"]] == [0.01, 0.02, 0.03, 0.05, 0.10]
    assert len(stored["risk_table"]) == 101
    assert stored["risk_table"][-1][:2] == [0.0, 600]
    assert said["method"] == stored["method"] == min(said["methods"], key=loss_of(said["methods"]))
    assert said["ece"] == stored["ece"] < 0.06
    assert stored["samples"] == 600
    assert stored["risk_coverage"][-1][0] == 1.0
    assert 0.6 < said["accuracy"] == round(1 - stored["risk_coverage"][-1][1], 4) < 0.95


def loss_of(methods: dict[str, dict[str, float]]) -> Callable[[str], float]:
    return lambda name: methods[name]["log_loss"]


def test_the_summary_names_the_method_and_the_price_of_each_risk(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert calibrate(package, written(tmp_path, HEADER, *rows(300))) == 0

    out = capsys.readouterr().out
    assert f"Calibrated home/largest of largest in {package}." in out
    assert "300 samples; " in out
    assert "log loss on held-out rows" in out
    assert "of answers are at most 5% wrong." in out
    assert "Bounds on error, certified 90% sure:\n  max_error 1%: cannot be certified; the b" in out
    assert "  max_error 10%: keeps " in out


@pytest.mark.parametrize(
    ("label", "warning"),
    [("high", "every answer was right"), ("low", "every answer was wrong")],
)
def test_data_that_shows_no_difference_is_warned_of_and_promises_no_certainty(
    package: Path, tmp_path: Path, label: str, warning: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert calibrate(package, written(tmp_path, HEADER, *[f"1,2,3,{label}"] * 40), "--json") == 0

    said = json.loads(capsys.readouterr().out)
    assert said["loose"]
    assert "only 40 samples" in said["warnings"][0]
    assert f"every row has the label '{label}'" in said["warnings"][1]
    assert warning in said["warnings"][2]
    curve = load_manifest(package).heads[0].curve
    assert curve is not None
    assert all(0.0 < chance < 1.0 for _, chance in curve.knots)


def test_texts_that_the_model_cuts_are_counted(
    text_package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["text,intent", *["hello,low"] * 60, *["hello world hello,high"] * 50]

    assert calibrate(text_package, written(tmp_path, *lines), "--json") == 0

    said = json.loads(capsys.readouterr().out)
    assert said["cut"] == 50
    assert "50 texts are longer than the model reads" in said["warnings"][-1]


def test_a_model_that_asks_at_every_row_cannot_be_calibrated(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    described = package / "package.toml"
    described.write_text(described.read_text() + 'out_of_scope = "high"\n')

    assert calibrate(package, written(tmp_path, HEADER, "1,2,3,high")) == ExitCode.FAILURE

    assert "There is nothing to calibrate" in capsys.readouterr().err


def test_a_calibration_of_other_weights_must_be_removed_first(
    package: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = written(tmp_path, HEADER, *rows(120))
    calibrate(package, data)
    stored = package / "calibration.json"
    content = json.loads(stored.read_text()) | {"weights_sha256": "0" * 64}
    stored.write_text(json.dumps(content))

    assert calibrate(package, data) == ExitCode.MODEL

    assert "Remove it, and calibrate again" in capsys.readouterr().err


def commands(tmp_path: Path) -> Path:
    texts = ("turn on the light", "what is the weather", "set an alarm")
    return written(tmp_path, "text,intent", *(f"{text},alarm_set" for text in texts))


def test_a_shipped_package_is_not_written_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (MODELS / "commands-small" / "calibration.json").read_bytes()

    code = calibrate("commands-small", commands(tmp_path), "--domain", "home")

    assert code == ExitCode.FAILURE
    assert "--out DIR" in capsys.readouterr().err
    assert (MODELS / "commands-small" / "calibration.json").read_bytes() == before


def test_a_copy_gets_the_new_curve_and_keeps_that_of_the_other_domain(tmp_path: Path) -> None:
    out = tmp_path / "copies" / "mine"
    before = load_manifest(MODELS / "commands-small")

    words = ["--domain", "home", "--out", str(out)]
    assert calibrate("commands-small", commands(tmp_path), *words) == 0

    after = load_manifest(out)
    home = after.head("home").curve
    assert home is not None
    assert home.samples == 3
    assert after.head("assistant") == before.head("assistant")
    assert [path.name for path in out.parent.iterdir()] == ["mine"]
    assert (out / "calibration.json").stat().st_mode & 0o777 == 0o644


def test_a_copy_overwrites_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--domain", "home", "--out", str(tmp_path)]

    assert calibrate("commands-small", commands(tmp_path), *words) == ExitCode.FAILURE

    assert "is not empty" in capsys.readouterr().err


def test_a_package_of_several_domains_needs_to_be_told_which(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--out", str(tmp_path / "copy")]

    assert calibrate("commands-small", commands(tmp_path), *words) == ExitCode.USAGE

    assert "home, assistant; say which with --domain" in capsys.readouterr().err
