"""`firstline ask --conversation`: which names are taken, and what becomes of them."""

import json
from pathlib import Path

import pytest

from firstline import cli
from firstline.asking.through import Question, _drop
from firstline.exits import ExitCode
from tests.unit.firstline.conftest import Home


@pytest.mark.parametrize("name", ["a/b", ".hidden", "a~b", "\u00e9", "a" * 65, "a b", "-x "])
def test_a_name_that_could_be_no_files_name_is_refused(home: Home, name: str) -> None:
    words = ["ask", "hello", "--settings", str(home.agent), "--task", "typed"]

    assert cli.main([*words, f"--conversation={name}"]) == ExitCode.USAGE


def test_a_conversation_needs_a_device_that_keeps_it() -> None:
    assert cli.main(["ask", "hello", "--conversation", "anna"]) == ExitCode.USAGE


def test_a_question_of_a_conversation_is_answered(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "ask",
        "hello world bob@example.org",
        "--settings",
        str(home.agent),
        "--task",
        "typed",
        "--json",
    ]

    code = cli.main([*words, "--conversation", "anna"])

    assert code == ExitCode.PARTIAL
    assert json.loads(capsys.readouterr().out)["answer"] == "high bob@example.org"


@pytest.mark.parametrize(("conversation", "begin"), [("anna", "anna~ask-"), ("", "ask-")])
def test_the_running_agent_sees_the_conversation_in_the_files_name(
    tmp_path: Path, conversation: str, begin: str
) -> None:
    name = _drop(Question(b"hello", conversation), tmp_path)

    assert name.startswith(begin)
    assert (tmp_path / name).read_bytes() == b"hello"
