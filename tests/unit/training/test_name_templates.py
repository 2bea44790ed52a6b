"""The sentences that the name model learns from: their templates, and what is made of them."""

import random
from pathlib import Path

import pytest

from training.names.noise import noisy
from training.names.sentence import Mark, Piece, Sentence, assembled
from training.names.templates import (
    LABELS,
    Slot,
    Template,
    TemplateError,
    chosen,
    parts,
    read_templates,
)

WRONG_TEMPLATES = {
    "an unknown slot": ("chat", "hello {nobody}", "chat:1: no slot is called 'nobody'"),
    "personal in a negative theme": ("negative_x", "by {person}", "negative_x:1: 'person' is per"),
    "an open choice": ("chat", "fine\n[[a|b", "chat:2: [[ and ]] do not pair"),
}


def test_shipped_templates_have_known_slots_and_are_many() -> None:
    templates = read_templates()

    negative = [template for template in templates if template.is_negative]
    assert len(negative) >= 300
    assert len(templates) - len(negative) >= 1200


def test_no_shipped_template_is_there_twice() -> None:
    texts = [template.text for template in read_templates()]

    assert sorted(texts) == sorted(set(texts))


def test_every_slot_stands_in_some_template() -> None:
    used = {
        part.name
        for template in read_templates()
        for part in parts(template.text)
        if isinstance(part, Slot)
    }

    assert used == set(LABELS)


@pytest.mark.parametrize("case", WRONG_TEMPLATES)
def test_wrong_template_is_refused_with_its_line(tmp_path: Path, case: str) -> None:
    theme, text, message = WRONG_TEMPLATES[case]
    (tmp_path / f"{theme}.txt").write_text(text)

    with pytest.raises(TemplateError) as caught:
        read_templates(tmp_path)

    assert str(caught.value).startswith(message)


def test_choices_and_escapes_are_settled() -> None:
    text = chosen(r"[[a|[[b|c]]]] {person}\n[[|d]]", lambda options: options[-1])

    assert text == "c {person}\nd"


def test_braces_of_json_are_text() -> None:
    cut = list(parts('{"name": "{person1}", "n": {number}}'))

    assert cut == ['{"name": "', Slot("person", "1"), '", "n": ', Slot("number", None), "}"]


def test_marks_lie_on_the_values_without_their_spaces() -> None:
    pieces = [Piece("Dr. ", "TITLE"), Piece("Ann Lee", "PERSON"), Piece(" said", None)]

    sentence = assembled(pieces, "chat:1")

    marks = (Mark(0, 3, "TITLE"), Mark(4, 11, "PERSON"))
    assert sentence == Sentence("Dr. Ann Lee said", marks, "chat:1")


def test_noise_keeps_every_piece_and_its_label() -> None:
    pieces = [Piece("my name is ", None), Piece("Ólafur", "PERSON"), Piece(", you?", None)]
    choice = random.Random(1)  # noqa: S311 - not a secret

    changed = [noisy(pieces, choice) for _ in range(500)]

    assert any(one != pieces for one in changed)
    for one in changed:
        assert [piece.label for piece in one] == [None, "PERSON", None]
        assert all(piece.text for piece in one)


def test_every_slot_has_values(tmp_path: Path) -> None:
    pytest.importorskip("faker", reason="Faker makes training data: pip install -e '.[train]'")
    from training.names.fill import Filler  # noqa: PLC0415 - needs Faker

    filler = Filler(_lists(tmp_path), seed=1)
    for slot, label in LABELS.items():
        sentence = filler.fill(Template("x:1", f"<{{{slot}}}>"), clean=True)
        assert len(sentence.text) > 2, slot
        assert [mark.label for mark in sentence.marks] == [label] * bool(label)


def test_same_seed_gives_the_same_sentences(tmp_path: Path) -> None:
    pytest.importorskip("faker", reason="Faker makes training data: pip install -e '.[train]'")
    from training.names.fill import Filler  # noqa: PLC0415 - needs Faker

    data, templates = _lists(tmp_path), read_templates()
    one, other = (list(Filler(data, seed=7).sentences(50, templates)) for _ in range(2))

    assert one == other


def test_a_number_means_the_same_person(tmp_path: Path) -> None:
    pytest.importorskip("faker", reason="Faker makes training data: pip install -e '.[train]'")
    from training.names.fill import Filler  # noqa: PLC0415 - needs Faker

    filler = Filler(_lists(tmp_path), seed=3)
    sentence = filler.fill(Template("x:1", "{last_first1}/{last_name1}, {first_name1}"), clean=True)

    whole, parts_of_it = sentence.text.split("/")
    assert whole == parts_of_it


def _lists(folder: Path) -> Path:
    """Write word lists of the shape of the real ones."""
    pii = folder / "pii"
    rows = {
        "world-cities/world-cities.csv": "name,country,subcountry,geonameid\nOslo,Norway,Oslo,1\n",
        "random-name/names.txt": "Aaberg\nZorn\n",
        "random-name/first-names.txt": "Ada\nZoe\n",
        "random-name/places.txt": "Abbeville\nYork\n",
        "popular-names/common-forenames-by-country.csv": (
            "Country,Localized Name,Romanized Name\nIS,Jón,Jon\nDK,Bo,Bo\nGL,Minik,Minik\n"
        ),
        "popular-names/common-surnames-by-country.csv": (
            "Country,Localized Name,Romanized Name\nDK,Holm,Holm\n"
        ),
    }
    for name, text in rows.items():
        (pii / name).parent.mkdir(parents=True, exist_ok=True)
        (pii / name).write_text(text, encoding="utf-8")
    return folder
