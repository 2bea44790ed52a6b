"""The slot teacher's tags: a sentence's values as one tag a word, and back."""

from hypothesis import given
from hypothesis import strategies as st

from training.home_nlu import tags
from training.home_nlu.frames import Part, parts_of

SLOTS = st.sampled_from(["", "time", "date"])
STRETCHES = st.lists(st.tuples(SLOTS, st.from_regex(r"\A[a-z]{1,3}( [0-9]{1,2}){0,2}\Z")))


def sentence(stretches: list[tuple[str, str]]) -> tuple[Part, ...]:
    """Join stretches by spaces; what fills no slot is one part with its neighbours."""
    found: list[Part] = []
    for slot, text in [pair for each in stretches for pair in (("", " "), each)][1:]:
        if found and not slot and not found[-1].slot:
            found[-1] = Part("", found[-1].text + text)
        else:
            found.append(Part(slot, text))
    return tuple(found)


def test_the_first_word_of_a_value_begins_it_and_the_others_go_on() -> None:
    parts = parts_of("wake me at [time : 5 am] [date : today]")

    found = tags.tags(parts, tags.words("wake me at 5 am today"))

    assert found == ["O", "O", "O", "B-time", "I-time", "B-date"]


def test_a_value_without_a_beginning_begins_where_its_slot_does() -> None:
    text = "at 5 am today"

    found = tags.parts(text, tags.words(text), ["O", "I-time", "I-time", "I-date"])

    assert found == parts_of("at [time : 5 am] [date : today]")


@given(STRETCHES)
def test_tags_give_the_parts_back(stretches: list[tuple[str, str]]) -> None:
    parts = sentence(stretches)
    text = "".join(part.text for part in parts)
    cut = tags.words(text)

    found = tags.parts(text, cut, tags.tags(parts, cut))

    assert found == parts
