import pytest

from agent.core.clean import Expectation, clean
from agent.core.errors import EmptyInputError, FieldError, InputError, SyntaxInputError
from agent.stages import Clean, Raw
from broker.wire.payload import PayloadKind, Record

EXPECT = Expectation(PayloadKind.RECORD)


def cleaned(data: bytes, expect: Expectation = EXPECT) -> Clean:
    return clean(Raw("task", "stdin:1", data), expect)


def test_record_of_numbers_and_strings_is_read() -> None:
    data = b'\xef\xbb\xbf{"rpm": 1500, "load": -2.5e-1, " unit\\u200b ": "m/s\\n", "note": ""}'

    assert cleaned(data) == Clean(Record({"rpm": 1500.0, "load": -0.25, "unit": "m/s", "note": ""}))


def test_nested_record_becomes_flat_with_paths_for_names() -> None:
    data = (
        b'{"patient": {"name": "Anna", "readings": [1, [true]]}, "s": "{\\"a\\": 1}", "none": []}'
    )

    assert cleaned(data) == Clean(
        Record(
            {
                "patient.name": "Anna",
                "patient.readings.0": 1.0,
                "patient.readings.1.0": 1.0,
                "s": '{"a": 1}',
            }
        ),
        (
            "left out, for they are empty: 1",
            "field 'patient.readings.1.0': boolean became a number",
        ),
    )


@pytest.mark.parametrize("depth", [2, 100, 128])
def test_deeply_nested_record_is_read(depth: int) -> None:
    data = b'{"a": ' * depth + b'"x"' + b"}" * depth

    assert cleaned(data) == Clean(Record({".".join("a" * depth): "x"}))


def test_numbers_of_a_record_are_floats() -> None:
    payload = cleaned(b'{"rpm": 1500}').payload

    assert isinstance(payload, Record)
    assert type(payload.fields["rpm"]) is float


def test_boolean_becomes_a_number_and_says_so() -> None:
    assert cleaned(b'{"on": true, "hot": false}') == Clean(
        Record({"on": 1.0, "hot": 0.0}),
        ("field 'on': boolean became a number", "field 'hot': boolean became a number"),
    )


def test_long_string_is_cut_and_says_so() -> None:
    expect = Expectation(PayloadKind.RECORD, max_chars=8)

    assert cleaned(b'{"note": "the quick fox"}', expect) == Clean(
        Record({"note": "the"}), ("field 'note': truncated to 3 of 13 characters",)
    )


def test_lone_surrogate_cannot_reach_the_wire() -> None:
    assert cleaned(b'{"note": "a\\ud800b"}') == Clean(Record({"note": "a?b"}))


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (b"{}", EmptyInputError, "no fields"),
        (b'{"a": secret}', SyntaxInputError, "line 1, column 7"),
        (b'{\n"a": 1,\n}', SyntaxInputError, "line [23], column"),
        (b'["secret"]', SyntaxInputError, "one JSON object"),
        (b'"secret"', SyntaxInputError, "one JSON object"),
        (b"[" * 100_000, SyntaxInputError, "too deeply"),
        (b'{"a": {}, "b": [[]]}', EmptyInputError, "no fields"),
        (b'{"a": {"b": null}}', FieldError, "'a.b' is null"),
        (b'{"a": {"John Smith": null}}', FieldError, "number 1 is null"),
        (b'{"a.b": 1, "a": {"b": "secret"}}', FieldError, "'a.b' is given twice, nested"),
        (b'{"a": {"b": 1, "b": "secret"}}', FieldError, "'b' is given twice"),
        (b'{"a": ' * 129 + b"1" + b"}" * 129, SyntaxInputError, "t most 128 levels"),
        (b'{"a": ' * 50_000 + b"1" + b"}" * 50_000, SyntaxInputError, "t most 128 levels"),
        (b'{"' + b"a" * 600 + b'": {"b": "secret"}}', SyntaxInputError, "paths of 512"),
        (b'{"' + b"a" * 600 + b'": "secret"}', FieldError, "number 1 has a name of more than 512"),
        (b'{"a": [' + b"1," * 10_000 + b"1]}", FieldError, "more than 10000 fields"),
        (b'{"a": null}', FieldError, "'a' is null"),
        (b'{"a": NaN}', FieldError, "'a' is not finite"),
        (b'{"a": -Infinity}', FieldError, "'a' is not finite"),
        (b'{"a": 1e999}', FieldError, "'a' is not finite"),
        (b'{"a": ' + b"9" * 5000 + b"}", FieldError, "'a' is not finite"),
        (b'{"a": 9007199254740993}', FieldError, "'a' is too large to keep exactly"),
        (b'{"a": 1, "a": "secret"}', FieldError, "'a' is given twice"),
        (b'{"a": 1, "a\\u200b": "secret"}', FieldError, "'a' has an empty name, or .* twice"),
        (b'{"": "secret"}', FieldError, "number 1 has an empty name"),
        (b'{"John Smith": null}', FieldError, "number 1 is null"),
    ],
)
def test_unusable_record_is_refused(data: bytes, error: type[InputError], words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        cleaned(data)

    assert "secret" not in str(caught.value)
    assert "John" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
