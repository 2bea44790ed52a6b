"""Stand-ins keep their form, are nobody's, and give way to their originals again."""

from hypothesis import given
from hypothesis import strategies as st

from agent.core.mask import mask
from agent.core.policy import MaskRules
from agent.core.pseudonyms import Past, Style
from agent.core.restore import restore
from agent.core.surrogates import MAKERS, surrogate
from agent.stages import Clean, Span
from broker.wire.payload import Text

RULES = MaskRules(style=Style.SURROGATE)
LABELS = st.sampled_from([*sorted(MAKERS), "AGE", "FIELD"])
VALUES = st.one_of(
    st.text("aZ09 .-/:@+()\u00e9\u00df<>_", max_size=20),
    st.from_regex(r"[0-3][0-9]\.1?[0-9]\.(20)?[0-9]{2}", fullmatch=True),
    st.from_regex(r"[0-9]{12,19}", fullmatch=True),
    st.sampled_from(["Anna Berg", "a@b.com", "10.0.0.1", "+49 30 1234567", "21 Nov 2026", "Noah"]),
    st.sampled_from(["person1@example.org", "192.0.2.1", "<PERSON_1>", "Zoe", "4000000000000002"]),
)
BETWEEN = st.sampled_from([" ", ", ", "", "x", "_", "<", ">", " Zoe ", "\n", "PERSON_1 ", "192.0."])


@given(LABELS, VALUES, st.binary(max_size=8), st.integers(0, 3))
def test_any_value_has_a_surrogate_or_none_and_the_same_one_again(
    label: str, value: str, key: bytes, attempt: int
) -> None:
    first = surrogate(label, value, key=key, attempt=attempt)

    assert first == surrogate(label, value, key=key, attempt=attempt)
    assert first is None or sum(map(str.isalnum, first)) >= 4


@given(
    st.lists(st.tuples(BETWEEN, VALUES.filter(bool), LABELS), max_size=6),
    st.lists(st.tuples(BETWEEN, VALUES.filter(bool), LABELS), max_size=3),
    st.binary(min_size=1, max_size=8),
)
def test_restore_undoes_mask_in_a_conversation(
    first: list[tuple[str, str, str]], second: list[tuple[str, str, str]], key: bytes
) -> None:
    past = Past(key=key)
    for parts in (first, second):
        text, spans = "", []
        for between, value, label in parts:
            text += between
            spans.append(Span(len(text), len(text) + len(value), label))
            text += value

        result = mask(Clean(Text(text)), RULES, lambda _, spans=spans: spans, past)  # type: ignore[misc]

        assert isinstance(result.masked.payload, Text)
        assert restore(result.masked.payload.text, result.vault).text == text
        names = [each.name for each in result.past.given]
        assert len({name.lower() for name in names}) == len(names)
        past = result.past
