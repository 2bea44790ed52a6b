# ruff: noqa: RUF001 - look-alike characters are what some pieces are about
import struct
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from agent.core.find import find
from agent.core.mask import mask
from agent.core.policy import FieldRule, MaskRules
from agent.core.restore import restore
from agent.stages import Clean, Span
from broker.wire.payload import Record, Text, Window

# Pieces that collide with placeholders, and pieces that could be glued into one.
PIECES = st.sampled_from(
    [
        *(
            "<A_1>",
            "<a_1>",
            "<A_2>",
            "<A_B_1>",
            "<A_",
            "<A_1",
            "B_1>",
            "1>",
            "<",
            ">",
            "x",
            "é",
            "ſ",
        ),
        *("A_1", "a_b_1", "A 1", "A-1", "[A_1]", "&lt;A_1", "&gt;", "%3C", "A\\_", "1", " ", "_"),
        *("](", "\\", "]", "ſ"),
    ]
)
GLUED = st.lists(PIECES, max_size=8).map("".join)
PERSONAL = st.sampled_from(
    [
        "john@example.com",
        "JOHN@example.com",
        "jane.doe@example.org",
        "4111 1111 1111 1111",
        "378282246310005",
        "DE89 3704 0044 0532 0130 00",
        "192.0.2.1",
        "2001:db8::1",
        "00:1A:2b:3c:4D:5e",
        "+44 20 7946 0958",
    ]
)
ORDINARY = st.sampled_from(
    ["<EMAIL_1>", "<email_1>", "<CARD_1>", "<IP_1", "mail", "the pump, please", "<", "é", "Zürich"]
)
RULES = MaskRules(
    {"kept": FieldRule.KEEP, "hidden": FieldRule.PSEUDONYMIZE, "gone": FieldRule.DROP},
    FieldRule.KEEP,
)
VALUES = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.lists(st.one_of(PERSONAL, ORDINARY), max_size=4).map(" ".join),
)


@st.composite
def texts_with_spans(draw: st.DrawFn) -> tuple[str, list[Span]]:
    text = draw(GLUED)
    cuts = sorted(draw(st.sets(st.integers(0, len(text)), max_size=6)))
    pairs = zip(cuts[::2], cuts[1::2], strict=False)
    labels = st.sampled_from(["A", "a b", "A_B"])
    spans = [Span(start, end, draw(labels)) for start, end in pairs]
    return text, draw(st.permutations(spans))


@given(texts_with_spans())
def test_restore_undoes_mask(case: tuple[str, list[Span]]) -> None:
    text, spans = case

    result = mask(Clean(Text(text)), MaskRules(), lambda _: spans)

    payload = result.masked.payload
    assert isinstance(payload, Text)
    restored = restore(payload.text, result.vault)
    assert restored.text == text
    assert restored.restored == len(spans)
    assert [masking.label for masking in result.maskings] == [
        {"A": "A", "a b": "A_B", "A_B": "A_B"}[span.label]
        for span in sorted(spans, key=lambda span: span.start)
    ]


@given(texts_with_spans())
def test_placeholders_and_values_belong_together(case: tuple[str, list[Span]]) -> None:
    text, spans = case

    result = mask(Clean(Text(text)), MaskRules(), lambda _: spans)

    originals = result.vault.originals
    assert set(originals.values()) == {text[span.start : span.end] for span in spans}
    payload = result.masked.payload
    assert isinstance(payload, Text)
    given = Counter(masking.placeholder for masking in result.maskings)
    assert {name: payload.text.upper().count(name) for name in originals} == given
    pairs = [(name.rsplit("_", 1)[0], value) for name, value in originals.items()]
    assert len(set(pairs)) == len(pairs)


@given(texts_with_spans(), st.data())
def test_answer_of_any_glued_pieces_is_restored_in_one_pass(
    case: tuple[str, list[Span]], data: st.DataObject
) -> None:
    text, spans = case
    vault = mask(Clean(Text(text)), MaskRules(), lambda _: spans).vault
    words = st.sampled_from([*vault.originals, "<ZZ_9>", "x", "<", "\\1"])
    pieces = data.draw(st.lists(words, max_size=8))

    restored = restore("".join(pieces), vault)

    assert restored.text == "".join(vault.originals.get(piece, piece) for piece in pieces)
    assert restored.unknown == pieces.count("<ZZ_9>")


@given(st.lists(st.one_of(PERSONAL, ORDINARY), max_size=10))
def test_no_personal_data_survives_in_a_text(pieces: list[str]) -> None:
    text = " ; ".join(pieces)

    result = mask(Clean(Text(text)), MaskRules(), find)

    payload = result.masked.payload
    assert isinstance(payload, Text)
    assert not any(value in payload.text for value in result.vault.originals.values())
    assert find(payload.text) == ()
    assert restore(payload.text, result.vault).text == text


@given(st.dictionaries(st.sampled_from(["kept", "hidden", "gone", "a@b.com", "other"]), VALUES))
def test_no_personal_data_survives_in_a_record(fields: dict[str, float | str]) -> None:
    result = mask(Clean(Record(fields)), RULES, find)

    payload = result.masked.payload
    assert isinstance(payload, Record)
    for name, value in payload.fields.items():
        original = restore(name, result.vault).text
        assert find(name) == ()
        if isinstance(value, str):
            assert find(value) == ()
            written = restore(value, result.vault).text
            assert written == fields[original] or float(written) == fields[original]
        else:
            assert value == fields[original]
    assert ("gone" in fields) == ("gone" in result.dropped)
    assert len(payload.fields) + len(result.dropped) == len(fields)


@given(st.lists(st.one_of(PERSONAL, ORDINARY), min_size=1, max_size=4, unique=True))
def test_window_keeps_its_samples_and_distinct_channels(channels: list[str]) -> None:
    samples = struct.pack(f"<{len(channels)}f", *range(len(channels)))

    result = mask(Clean(Window(samples, tuple(channels), 2.0)), MaskRules(), find)

    payload = result.masked.payload
    assert isinstance(payload, Window)
    assert (payload.samples, payload.rate_hz) == (samples, 2.0)
    assert len(set(payload.channels)) == len(channels)
    assert [restore(name, result.vault).text for name in payload.channels] == channels
    assert not any(map(find, payload.channels))
