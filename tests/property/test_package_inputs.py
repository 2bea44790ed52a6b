"""Whatever comes in: known ids, our errors, the same answer twice."""

from hypothesis import given
from hypothesis import strategies as st

from broker.package.errors import InputMismatchError
from broker.package.inputs import RecordInput, WindowInput
from broker.package.records import record_numbers
from broker.package.tokenize import WordPiece, words
from broker.package.windows import window_numbers
from broker.wire.payload import Record, Window

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"abcdefgh", *(f"##{c}" for c in "abcdefgh")]
LIMIT = 12
TOKENIZER = WordPiece(PIECES, max_tokens=LIMIT)


@given(st.text(max_size=200))
def test_any_text_becomes_known_ids_within_the_limit(text: str) -> None:
    tokens = TOKENIZER.encode(text)

    assert 2 <= len(tokens.ids) <= LIMIT
    assert (tokens.ids[0], tokens.ids[-1]) == (2, 3)
    assert all(1 <= number < len(PIECES) and number not in (2, 3) for number in tokens.ids[1:-1])


@given(st.text(alphabet="abcdefgh", min_size=1, max_size=10))
def test_pieces_of_a_known_alphabet_spell_the_word(word: str) -> None:
    tokens = TOKENIZER.encode(word)

    spelt = "".join(PIECES[number].removeprefix("##") for number in tokens.ids[1:-1])
    assert spelt == word


@given(st.text(alphabet=st.characters(codec="ascii"), max_size=100))
def test_the_fast_way_for_ascii_is_the_slow_way(text: str) -> None:
    fast = words(text)

    slow = words(text + " \u00e9")
    assert [*fast, "e"] == slow


@given(
    st.binary(max_size=64),
    st.lists(st.sampled_from("xyz"), min_size=1, max_size=3),
    st.sampled_from([1.0, 2.0]),
)
def test_any_window_is_prepared_or_refused(
    samples: bytes, channels: list[str], rate_hz: float
) -> None:
    wanted = WindowInput(("x", "y"), 4, 1.0, (), ())

    try:
        numbers = window_numbers(Window(samples, tuple(channels), rate_hz), wanted)
    except InputMismatchError:
        return

    assert numbers.tobytes() == samples


@given(
    st.dictionaries(
        st.sampled_from(["n", "s", "other"]), st.floats() | st.sampled_from(["a", "b", "c"])
    )
)
def test_any_record_is_prepared_or_refused(fields: dict[str, float | str]) -> None:
    wanted = RecordInput(("n",), (("s", ("a", "b")),))

    try:
        numbers = record_numbers(Record(fields), wanted)
    except InputMismatchError:
        return

    assert fields.keys() == {"n", "s"}
    assert numbers.shape == (1, 2)
