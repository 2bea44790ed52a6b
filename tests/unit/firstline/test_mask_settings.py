"""[tasks.mask]: types, lists, and what is wrong with them, with the line where it stands."""

from pathlib import Path

import pytest

from agent.core.find import find
from agent.core.mask import mask
from agent.core.policy import FieldRule, Treatment
from agent.stages import Clean
from broker.package.manifest import load_manifest
from broker.wire.payload import Text
from firstline.mask_rules import ListFileError, list_faults, mask_rules
from firstline.plan import plan_apart
from firstline.settings import source
from firstline.settings.agent import AgentSettings, MaskSection
from firstline.settings.problems import SettingsError
from firstline.settings.source import Fault
from firstline.shipped import MODELS
from tests.unit.docs.pages import README, blocks

HEAD = """\
[models.small]
package = "commands-small"

[[tasks]]
name = "home"
model = "small"
domain = "home"
input = { kind = "stdin" }
output = { kind = "stdout" }

[tasks.mask]
"""  # 11 lines
SMALL = load_manifest(MODELS / "commands-small")
LIST = """\
# Our own addresses.

  info@example.org
service desk
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "agent.toml"


def section(file: Path, text: str) -> MaskSection:
    file.write_text(HEAD + text)
    return source.read(file, AgentSettings).tasks[0].mask


def problems(file: Path, text: str) -> list[tuple[int, str, str]]:
    with pytest.raises(SettingsError) as refused:
        section(file, text)
    return [(each.line, each.key, each.message) for each in refused.value.problems]


def faults(file: Path, text: str) -> list[Fault]:
    section(file, text)
    return list(list_faults(source.read(file, AgentSettings), file.parent))


def test_types_and_lists_are_read(file: Path) -> None:
    (file.parent / "allow.txt").write_text(LIST)
    given = section(
        file,
        'types = { EMAIL = "drop" }\nallow_file = "allow.txt"\ndeny = ["Blue Falcon"]\n'
        'deny_label = "PROJECT"',
    )

    rules = mask_rules(given, file.parent, SMALL)

    assert rules.types == {"EMAIL": Treatment.DROP}
    text = Text("info@example.org or a@b.com on blue falcon")
    assert mask(Clean(text), rules, find).masked.payload == Text(
        "info@example.org or <REMOVED> on <PROJECT_1>"
    )


@pytest.mark.parametrize(
    ("text", "line", "key", "message"),
    [
        (
            'types = { DAET = "keep" }',
            12,
            "types.DAET",
            "unknown type, did you mean 'DATE'?",
        ),
        ('[tasks.mask.types]\nIP = "keep"\nemail = "drop"', 14, "types.email", "mean 'EMAIL'?"),
        ('types = { ZZZZ = "keep" }', 12, "types.ZZZZ", "unknown type, there is EMAIL, PHONE, "),
        (
            'types = { PERSON = "generalize" }',
            12,
            "types.PERSON",
            "nothing coarser is known of it, only of AGE, DATE, GPS, IP, POSTCODE, TIME",
        ),
        ('types = { DATE = "hide" }', 12, "types.DATE", "Input should be 'mask', 'drop', "),
        (
            '[tasks.mask.fields]\nx = "keep"\n"a.b*" = "hide"',
            14,
            "fields.a.b*",
            "Input should be 'keep'",
        ),
        ('fields = { speed = "mask" }', 12, "fields.speed", "Input should be 'keep', "),
        ('deny = ["ok", " "]', 12, "deny", "a phrase has 1 to 16 words"),
        ('deny_label = "a b"', 12, "deny_label", "String should match pattern"),
        ('alow = ["x"]', 12, "alow", "unknown key, did you mean 'allow'?"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    file: Path, text: str, line: int, key: str, message: str
) -> None:
    ((got_line, got_key, got_message),) = problems(file, text)

    assert (got_line, got_key) == (line, f"tasks.0.mask.{key}")
    assert message in got_message


def test_the_example_of_the_readme_is_right(file: Path) -> None:
    (example,) = (each for each in blocks(README, "toml") if each.startswith("[tasks.mask]\n"))
    (file.parent / "deny.txt").write_text("Red Owl")

    given = section(file, example.removeprefix("[tasks.mask]\n"))

    assert mask_rules(given, file.parent, SMALL).types["AGE"] is Treatment.GENERALIZE
    assert given.fields["patient.age"] is FieldRule.GENERALIZE


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file or directory"),
        (b"\xff", "is not UTF-8 text"),
        (b"x " * 17, "a phrase has 1 to 16 words"),
        (b"x\n" * 600_000, "is larger than 1048576 bytes"),
    ],
)
def test_a_list_that_cannot_be_used_is_told_without_what_is_on_it(
    file: Path, content: bytes | None, message: str
) -> None:
    if content is not None:
        (file.parent / "secret.txt").write_bytes(content)

    ((location, told),) = faults(file, 'deny_file = "secret.txt"')

    assert location == ("tasks", 0, "mask", "deny_file")
    assert message in told
    assert "x x" not in told
    with pytest.raises(ListFileError):
        mask_rules(source.read(file, AgentSettings).tasks[0].mask, file.parent, SMALL)


def test_a_file_with_a_byte_order_mark_is_a_list_like_others(file: Path) -> None:
    (file.parent / "allow.txt").write_bytes(b"\xef\xbb\xbfa@b.com\r\n")

    rules = mask_rules(section(file, 'allow_file = "allow.txt"'), file.parent, SMALL)

    assert list(rules.allow.places("a@b.com")) == [(0, 7)]


def test_an_agent_does_not_start_without_its_lists(file: Path) -> None:
    file.write_text(HEAD + 'deny_file = "secret.txt"')

    with pytest.raises(SettingsError) as refused:
        plan_apart(file)

    ((line, key),) = [(each.line, each.key) for each in refused.value.problems]
    assert (line, key) == (12, "tasks.0.mask.deny_file")


@pytest.mark.parametrize("package", ["snapshot-small", "engine-small"])
def test_names_that_the_operator_or_the_model_gave_are_nobodys(package: str) -> None:
    given = MaskSection(fields={"mine": FieldRule.KEEP})

    rules = mask_rules(given, Path(), load_manifest(MODELS / package))

    assert {"T24", "Nc", "mine"} <= rules.names


def test_values_that_the_model_was_made_with_are_nobodys() -> None:
    rules = mask_rules(MaskSection(), Path(), load_manifest(MODELS / "snapshot-small"))

    assert list(rules.allow.places("steady")) == [(0, 6)]
    assert list(rules.allow.places("Steady Eddie Smith")) == [(0, 6)]  # his name does not leave
