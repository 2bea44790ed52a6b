"""Settings files: every error with its file, its line and the nearest key."""

from pathlib import Path

import pytest

from agent.core.policy import FieldRule
from firstline.settings import source
from firstline.settings.agent import AgentSettings
from firstline.settings.problems import Problem, SettingsError
from firstline.settings.worker import WorkerSettings

GOOD = """\
[agent]
credentials = "keys"

[models.small]
package = "commands-small"

[[tasks]]
name = "home"
model = "small"
domain = "home"
input = { kind = "folder", path = "in" }
output = { kind = "folder", path = "out" }

[[tasks]]
name = "engine"
model = "small"
domain = "engine"
payload = "record"

[tasks.input]
kind = "stdin"

[tasks.output]
kind = "stdout"

[tasks.mask.fields]
speed = "keep"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "agent.toml"


def problems(file: Path, text: str) -> list[tuple[int, str, str]]:
    file.write_text(text)
    with pytest.raises(SettingsError) as refused:
        source.read(file, AgentSettings)
    assert all(problem.file == str(file) for problem in refused.value.problems)
    return [(each.line, each.key, each.message) for each in refused.value.problems]


def test_a_good_file_is_read_with_its_defaults(file: Path) -> None:
    file.write_text(GOOD)

    settings = source.read(file, AgentSettings)

    assert settings.broker.port == 1883
    assert [task.name for task in settings.tasks] == ["home", "engine"]
    assert settings.tasks[1].mask.fields == {"speed": FieldRule.KEEP}


@pytest.mark.parametrize(
    ("right", "wrong", "expected"),
    [
        (
            'credentials = "keys"',
            'credential = "keys"',
            (2, "agent.credential", "unknown key, did you mean 'credentials'?"),
        ),
        (
            'package = "commands-small"',
            'package = "commands-small"\nthread = 2',
            (6, "models.small.thread", "unknown key, did you mean 'threads'?"),
        ),
        (
            'name = "engine"',
            'name = "engine"\npatience = 3',
            (16, "tasks.1.patience", "unknown key, did you mean 'patience_s'?"),
        ),
        ("[agent]", "[agnt]", (1, "agnt", "unknown key, did you mean 'agent'?")),
        ("[agent]", "[zzz]", (1, "zzz", "unknown key")),
        (
            'speed = "keep"',
            'speed = "kep"',
            (
                27,
                "tasks.1.mask.fields.speed",
                "Input should be 'keep', 'generalize', 'pseudonymize' or 'drop'",
            ),
        ),
        (
            'model = "small"\ndomain = "home"\n',
            'model = "small"\n',
            (7, "tasks.0.domain", "this key is missing"),
        ),
        (
            'kind = "stdin"',
            'kind = "folder"',
            (20, "tasks.1.input", "a folder needs a 'path'"),
        ),
        (
            'kind = "stdout"',
            'kind = "topic"\ntopic = "a/#"',
            (23, "tasks.1.output", "a topic needs a 'topic' without wildcards"),
        ),
    ],
)
def test_one_wrong_key_is_told_with_its_line(
    file: Path, right: str, wrong: str, expected: tuple[int, str, str]
) -> None:
    assert problems(file, GOOD.replace(right, wrong, 1)) == [expected]


def test_a_typo_in_a_table_named_like_a_key_still_gets_its_nearest_key(file: Path) -> None:
    text = GOOD.replace("[models.small]", "[models.package]\nthread = 2").replace(
        'model = "small"', 'model = "package"'
    )

    assert problems(file, text) == [
        (5, "models.package.thread", "unknown key, did you mean 'threads'?")
    ]


def test_two_errors_are_both_told_in_the_order_of_their_lines(file: Path) -> None:
    text = GOOD.replace('kind = "stdout"', "kind = 7").replace("keys", 'keys"\nresend_s = "soon')

    found = problems(file, text)

    assert [(line, key) for line, key, _ in found] == [
        (3, "agent.resend_s"),
        (25, "tasks.1.output.kind"),
    ]


def test_a_typo_in_the_only_task_is_not_told_as_a_missing_task_too(file: Path) -> None:
    alone = GOOD[: GOOD.index('[[tasks]]\nname = "engine"')].replace("domain", "domane")

    assert problems(file, alone) == [
        (7, "tasks.0.domain", "this key is missing"),
        (10, "tasks.0.domane", "unknown key, did you mean 'domain'?"),
    ]


def test_what_does_not_fit_together_is_told_with_its_line(file: Path) -> None:
    text = (
        GOOD.replace('model = "small"\ndomain = "engine"', 'model = "large"\ndomain = "engine"')
        .replace('name = "engine"', 'name = "home"')
        .replace('kind = "folder", path = "in"', 'kind = "topic", topic = "in"')
    )

    assert problems(file, text) == [
        (7, "tasks.0", "it uses a topic: add a [local_broker]"),
        (15, "tasks.1.name", "there is another task 'home'"),
        (16, "tasks.1.model", "not under [models]: there is small"),
    ]


def test_a_second_reader_of_standard_input_is_refused(file: Path) -> None:
    text = GOOD.replace('kind = "folder", path = "in"', 'kind = "stdin"')

    assert problems(file, text) == [
        (20, "tasks.1.input", "another task reads standard input already")
    ]


def test_a_syntax_error_is_told_with_its_line(file: Path) -> None:
    ((line, key, message),) = problems(file, GOOD.replace('name = "home"', "name = home"))

    assert (line, key) == (8, "")
    assert message == "Invalid value"


def test_an_unclosed_last_line_is_told_with_its_line(file: Path) -> None:
    ((line, _, _),) = problems(file, "[agent]\nstate = 'open")

    assert line == 2


@pytest.mark.parametrize(
    ("content", "message"), [(None, "No such file or directory"), (b"\xff", "not UTF-8 text")]
)
def test_a_file_that_cannot_be_read_is_told(
    file: Path, content: bytes | None, message: str
) -> None:
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(SettingsError) as refused:
        source.read(file, AgentSettings)

    assert refused.value.problems == (Problem(str(file), 1, "", message),)
    assert str(refused.value) == f"{file}:1: {message}"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (GOOD, AgentSettings),
        ("[[engines]]\npackage = 'x'\n[broker]\nport = 1", WorkerSettings),
        ("[broker]\n[worker]", WorkerSettings),
    ],
)
def test_the_kind_of_a_file_is_seen_in_its_sections(file: Path, text: str, kind: type) -> None:
    file.write_text(text)

    assert source.read_kind(file, (AgentSettings, WorkerSettings)) is kind


def test_a_file_of_no_kind_is_refused(file: Path) -> None:
    file.write_text("[tool.ruff]\n")

    with pytest.raises(SettingsError, match="no section that we know"):
        source.read_kind(file, (AgentSettings, WorkerSettings))


def test_keys_of_quoted_dotted_and_inline_tables_are_found() -> None:
    text = 'a.b = 1\n["x y"]\n"q r" = 2\n[[t]]\n[t.u]\nk = 1\n[[t]]\n[t.u]\nk = { v = 1 }\n'

    lines = source.key_lines(text)

    assert lines["a", "b"] == 1
    assert lines["x y", "q r"] == 3
    assert lines["t", 0, "u", "k"] == 6
    assert lines["t", 1, "u", "k"] == 9
    assert source.line_of(("t", 1, "u", "k", "v"), lines) == 9
    assert source.line_of(("none",), lines) == 1
