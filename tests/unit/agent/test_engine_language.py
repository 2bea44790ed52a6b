"""A language model in the engine child."""

from pathlib import Path

import pytest

from agent.models.child_process import PackageRefusedError
from agent.models.model import ModelError
from broker.wire.payload import PayloadKind
from tests.unit.agent.children import masked, pid_of, running
from tests.unit.package.gguf_files import describe, write_model

LONG = "root ::= [a-z] root"  # until there is no room


def packed(folder: Path) -> Path:
    write_model(folder / "model.gguf")
    (folder / "long.gbnf").write_text(LONG, encoding="utf-8")
    short = {"domain": "short", "max_tokens": 4}
    endless = {"domain": "long", "max_tokens": 6001, "grammar": "long.gbnf"}
    return describe(folder, short, endless, context=6100)


def test_it_answers_and_names_itself(tmp_path: Path) -> None:
    with running(packed(tmp_path)) as engine:
        draft = engine.draft(masked(b"hello", PayloadKind.TEXT), "short")

        assert draft.model == "tiny 0.1.0"
        assert 0.0 < draft.score <= 1.0
        assert draft.truncated


def test_a_model_stops_itself_at_the_deadline_and_stays_loaded(tmp_path: Path) -> None:
    question = masked(b"hello", PayloadKind.TEXT)
    with running(packed(tmp_path), timeout_s=0.2) as engine:
        expected = engine.draft(question, "short").answer
        pid = pid_of(engine)

        with pytest.raises(ModelError, match=r"no answer within 0.2 s"):
            engine.draft(question, "long")

        assert engine.draft(question, "short").answer == expected
        assert pid_of(engine) == pid


def test_a_prompt_that_does_not_fit_is_refused_with_the_numbers(tmp_path: Path) -> None:
    with running(packed(tmp_path)) as engine:
        with pytest.raises(PackageRefusedError, match=r"prompt has 6\d\d\d tokens .* of 6100"):
            engine.draft(masked(b"a " * 3100, PayloadKind.TEXT), "short")

        assert engine.draft(masked(b"a", PayloadKind.TEXT), "short").answer
