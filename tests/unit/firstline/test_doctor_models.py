"""What doctor predicts of the models that a settings file names."""

from dataclasses import replace
from pathlib import Path

import pytest

from agent.models.engine import Engine
from agent.update.selftest import probe, resident_mb
from broker.package.golden import GOLDEN_FILE, Case, Golden
from broker.package.manifest import load_manifest
from broker.package.speed import Speed, measure
from broker.wire.payload import Text
from firstline.checks import models
from firstline.checks.finding import Finding, State
from firstline.packing.golden import write_golden
from firstline.settings.agent import AgentSettings
from tests.unit.package.packages import copy_of

HERE = Speed(compute=500.0, memory=3000.0)
GOLDEN = Golden((Case("home", Text("hello"), "x"),), 0.75, 2.0, HERE, 67)
SETTINGS = {
    "models": {"commands": {"package": "commands-small"}},
    "tasks": [
        {
            "name": "home",
            "model": "commands",
            "domain": "home",
            "input": {"kind": "folder", "path": "inbox"},
            "output": {"kind": "folder", "path": "answers"},
        }
    ],
}


def found(package: str) -> list[Finding]:
    settings = AgentSettings.model_validate(
        SETTINGS | {"models": {"commands": {"package": package}}}
    )
    return list(models.findings(settings, Path()))


@pytest.mark.parametrize(
    ("here", "words"),
    [
        (HERE, "about 500 answers/s"),
        (replace(HERE, compute=250.0), "about 250 answers/s"),
        (replace(HERE, memory=1000.0), "about 167 answers/s"),
        (Speed(1000.0, 12_000.0), "about 1000 answers/s"),
    ],
)
def test_a_slower_machine_is_predicted_to_answer_slower(here: Speed, words: str) -> None:
    assert models.predicted(GOLDEN, here) == words


def test_a_language_model_is_told_in_tokens() -> None:
    golden = replace(GOLDEN, tokens_per_s=30.0)

    assert models.predicted(golden, replace(HERE, memory=1500.0)) == "about 15 tokens/s"


def test_what_nobody_measured_is_said_to_be_unknown(tmp_path: Path) -> None:
    package = copy_of("commands-small", tmp_path)
    (package / GOLDEN_FILE).unlink()

    (_, model) = found(str(package))

    assert (model.state, model.name) == (State.OK, "model commands")
    assert "about 63 MB of" in model.seen
    assert "its speed is unknown" in model.seen


def test_a_model_that_does_not_fit_is_a_warning_with_its_fix(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(models, "free_bytes", lambda: 40_000_000)

    (speed, model) = found("commands-small")

    assert speed.state is State.OK
    assert model.state is State.WARN
    assert "of 40 free" in model.seen
    assert "it does not fit" in model.fix


def test_the_prediction_is_near_what_the_engine_does_here(tmp_path: Path) -> None:
    package = copy_of("commands-small", tmp_path)
    golden = write_golden(package)
    assert golden is not None
    engine = Engine(package, timeout_s=60.0)
    try:
        for _ in range(3):
            probe(engine, golden.cases[0])
        assert engine.pid is not None
        taken_mb = resident_mb(engine.pid)
    finally:
        engine.stop()

    needed_mb = models.taken_mb(load_manifest(package), golden)
    assert 0.7 < needed_mb / taken_mb < 1.4
    assert 0.1 < golden.expected_ms(measure()) / golden.ms < 10.0  # the same machine, not alone
