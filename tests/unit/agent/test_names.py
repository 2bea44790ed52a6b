"""The shipped names: what they find, where, and which folders are refused."""

import shutil
from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import pytest

from agent.models.names import DESCRIPTION, Names, NamesError, spans
from firstline.shipped import NAMES
from tests.logs import machine_lines

ENGLISH = NAMES / "en"
SENTENCE = "My name is Anna Kowalska and I live in Budapest."


@pytest.fixture(scope="module")
def names() -> Names:
    return Names(ENGLISH)


@pytest.mark.parametrize("change", [str, str.upper, str.lower])
def test_names_are_found_in_every_case(names: Names, change: Callable[[str], str]) -> None:
    found = names(change(SENTENCE))

    assert [(span.start, span.end, span.label) for span in found] == [
        (11, 24, "PERSON"),
        (39, 47, "LOCATION"),
    ]


def test_a_span_tells_who_found_it_and_how_sure_that_is(names: Names) -> None:
    (person, _) = names(SENTENCE)

    assert person.rule == "names en"
    assert 0.5 < person.score <= 1.0


@pytest.mark.parametrize("text", ["", " ", "21.5, 33", "+--+\n|  |", "turn the lights off"])
def test_nothing_is_found_where_nobody_is_named(names: Names, text: str) -> None:
    assert names(text) == []


def test_machine_lines_name_almost_nobody(names: Names) -> None:
    lines = machine_lines(1000)

    found = [span for line in lines for span in names(line.text) if span.label == "PERSON"]

    assert len(found) <= 10


def test_lines_of_a_log_are_read_one_by_one(names: Names) -> None:
    lines = [
        "Mar 19 02:16:07 gate: badge 445 Peter Miller in",
        "2026-03-19 02:16:09 INFO patient Maria Lopez admitted",
        "Mar 19 02:16:17 gate: badge 17 Anna Kowalska out",
    ]
    text = "\n".join(lines)

    together = [text[span.start : span.end] for span in names(text)]

    assert together == ["Peter Miller", "Maria Lopez", "Anna Kowalska"]
    assert together == [line[span.start : span.end] for line in lines for span in names(line)]


def test_what_was_read_before_changes_nothing() -> None:
    text = "{} called {} at 06:55:{} from 192.0.2.1, and {} did not."
    people = ["Anna Kowalska", "Peter Miller", "the boiler", "Budapest", "zq", "JOHN", "a line"]
    texts = [
        text.format(caller, called, second, third)
        for caller, called, third in permutations(people, 3)
        for second in (11, 59)
    ]
    one, other = Names(ENGLISH), Names(ENGLISH)

    forwards = {each: one(each) for each in texts}

    assert {each: other(each) for each in reversed(texts)} == forwards
    assert {each: one(each) for each in texts} == forwards


def test_a_long_text_is_read_in_pieces_and_its_names_stay_in_place(names: Names) -> None:
    text = (SENTENCE + " ") * 500

    found = names(text)

    people = [text[span.start : span.end] for span in found if span.label == "PERSON"]
    assert people.count("Anna Kowalska") == 500


def test_a_long_text_without_spaces_is_read_too(names: Names) -> None:
    assert all(span.end <= 50_000 for span in names("xy7_" * 12_500))


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        (["O", "B-A", "I-A", "O"], [(1, 3)]),
        (["B-A", "B-A"], [(0, 1), (1, 2)]),
        (["I-A", "I-B", "I-B"], [(0, 1), (1, 3)]),
        (["O", "O"], []),
        ([], []),
    ],
)
def test_labels_are_read_as_names(labels: list[str], found: list[tuple[int, int]]) -> None:
    assert list(spans(labels)) == found


def drop(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def write(name: str, content: bytes) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / name).write_bytes(content)

    return damage


def cut_short(name: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: len(data) // 2])

    return damage


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (drop(DESCRIPTION), "names.toml cannot be read"),
        (drop("model.crf"), "model.crf cannot be read"),
        (drop("lexicon.bin"), "lexicon.bin cannot be read"),
        (cut_short("model.crf"), "model.crf is not the file"),
        (cut_short("lexicon.bin"), "lexicon.bin is not the file"),
        (write("model.crf", b""), "model.crf is not the file"),
        (write(DESCRIPTION, b""), r"under \[files\]"),
        (write(DESCRIPTION, b"\xff"), r"under \[files\]"),
        (write(DESCRIPTION, b"files = 3"), r"under \[files\]"),
        (write(DESCRIPTION, b"[files]\n'model.crf' = 1"), r"under \[files\]"),
    ],
)
def test_a_folder_that_is_not_intact_is_refused(
    tmp_path: Path, damage: Callable[[Path], None], told: str
) -> None:
    folder = tmp_path / "en"
    shutil.copytree(ENGLISH, folder)
    damage(folder)

    with pytest.raises(NamesError, match=told):
        Names(folder)


@pytest.mark.parametrize("name", ["model.crf", "lexicon.bin"])
def test_a_wrong_file_with_the_right_hash_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "en"
    shutil.copytree(ENGLISH, folder)
    (folder / name).write_bytes(b"x")
    of_x = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    lines = (folder / DESCRIPTION).read_text("utf-8").splitlines()
    told = "\n".join(f'"{name}" = "{of_x}"' if name in line else line for line in lines)
    (folder / DESCRIPTION).write_text(told, "utf-8")

    with pytest.raises(NamesError, match=name):
        Names(folder)
