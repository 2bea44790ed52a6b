import json
import math
import struct
import unicodedata
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from agent.core.clean import Expectation, clean, normalise
from agent.core.errors import InputError
from agent.stages import Raw
from broker.wire.payload import PayloadKind, Record, Text, Window, kind_of

KINDS = st.sampled_from(PayloadKind)
FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)
NAMES = st.lists(
    st.text("abcxyz_0123", min_size=1, max_size=4), min_size=1, max_size=4, unique=True
)
# Bytes that come close to what is read, and so deeper than pure noise.
NEAR = st.lists(
    st.one_of(
        st.sampled_from(
            [
                *(b"{", b"}", b"[", b"]", b'"', b",", b":", b"\n", b"#", b"# rate_hz:", b"a", b"1"),
                *(b"1e400", b"NaN", b"true", b"null", b'"a":', b'"channels":', b'"samples":'),
                *(b'"rate_hz":', b"[[1]]", b'["a"]', b"\\ud800", b"\xff", b"\0", b"\xef\xbb\xbf"),
            ]
        ),
        st.binary(max_size=3),
    ),
    max_size=20,
).map(b"".join)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["channels", "samples", "rate_hz", "a", ""]), inner, max_size=4
        )
    ),
    max_leaves=8,
).map(lambda value: json.dumps(value).encode())


@given(st.one_of(st.binary(), NEAR, JSON), KINDS)
def test_noise_raises_input_errors_only(data: bytes, kind: PayloadKind) -> None:
    with suppress(InputError):
        payload = clean(Raw("task", "noise", data), Expectation(kind, rate_hz=1.0)).payload
        assert kind_of(payload) is kind


@given(st.text())
def test_normalised_text_is_tidy_and_stays_so(text: str) -> None:
    tidy = normalise(text)

    assert normalise(tidy) == tidy
    assert unicodedata.is_normalized("NFC", tidy)
    assert tidy.split(" ") == tidy.split() or not tidy
    assert not any(unicodedata.category(character) in {"Cc", "Cs"} for character in tidy)
    tidy.encode()


@given(st.text(min_size=1), st.integers(1, 20))
def test_text_never_exceeds_its_limit_and_a_cut_is_told(text: str, max_chars: int) -> None:
    expect = Expectation(PayloadKind.TEXT, max_chars=max_chars)
    with suppress(InputError):
        result = clean(Raw("task", "stdin:1", text.encode(errors="replace")), expect)

        assert isinstance(result.payload, Text)
        assert len(result.payload.text) <= max_chars
        assert bool(result.changes) == (
            result.payload.text != normalise(text.encode(errors="replace").decode())
        )


@given(
    st.dictionaries(st.text("abc", min_size=1, max_size=3), FLOATS | st.text("xyz "), min_size=1)
)
def test_record_is_read_as_it_was_written(fields: dict[str, float | str]) -> None:
    result = clean(Raw("task", "f", json.dumps(fields).encode()), Expectation(PayloadKind.RECORD))

    assert result.payload == Record(
        {
            name: normalise(value) if isinstance(value, str) else value
            for name, value in fields.items()
        }
    )


@given(NAMES, st.data(), st.floats(0.1, 1000))
def test_window_is_read_alike_from_csv_and_json(
    names: list[str], data: st.DataObject, rate_hz: float
) -> None:
    row = st.lists(FLOATS, min_size=len(names), max_size=len(names))
    rows = data.draw(st.lists(row, min_size=1, max_size=5))
    lines = [f"# rate_hz: {rate_hz!r}", ",".join(names)]
    lines += [",".join(map(repr, values)) for values in rows]
    written = {"channels": names, "rate_hz": rate_hz, "samples": rows}
    expect = Expectation(PayloadKind.WINDOW, channels=tuple(names), rate_hz=rate_hz)

    from_csv = clean(Raw("task", "f", "\n".join(lines).encode()), expect).payload
    from_json = clean(Raw("task", "f", json.dumps(written).encode()), expect).payload

    assert from_csv == from_json
    assert isinstance(from_csv, Window)
    assert (from_csv.channels, from_csv.rate_hz) == (tuple(names), rate_hz)
    numbers = struct.unpack(f"<{len(rows) * len(names)}f", from_csv.samples)
    assert list(numbers) == [value for values in rows for value in values]
    assert all(map(math.isfinite, numbers))
