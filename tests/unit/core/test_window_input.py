import struct

import pytest

from agent.core.clean import Expectation, clean
from agent.core.errors import (
    ChannelsError,
    EmptyInputError,
    InputError,
    LengthError,
    RateError,
    SampleError,
    SyntaxInputError,
)
from agent.stages import Clean, Raw
from broker.wire.payload import PayloadKind, Window

EXPECT = Expectation(
    PayloadKind.WINDOW, channels=("a", "b"), rate_hz=2.0, min_length=2, max_length=3
)
ANY = Expectation(PayloadKind.WINDOW)
WINDOW = Window(struct.pack("<4f", 1, 2.5, -3, 4e4), ("a", "b"), 2.0)


def cleaned(data: bytes, expect: Expectation = EXPECT) -> Clean:
    return clean(Raw("task", "stdin:1", data), expect)


@pytest.mark.parametrize(
    "data",
    [
        b"a,b\n1,2.5\n-3,4e4\n",
        b"\xef\xbb\xbfa,b\r\n1,2.5\r\n\r\n-3,4e4",
        b' "a" , b \n 1, 2.5\n-3 ,4e4\n',
        b"a;b\n1;2.5\n-3;4e4\n",
        b"a\tb\n1\t2.5\n-3\t4e4\n",
        b"# rate_hz: 2.0\na,b\n1,2.5\n-3,4e4\n",
        b'{"channels": ["a", "b"], "rate_hz": 2, "samples": [[1, 2.5], [-3, 4e4]]}',
        b'{"channels": ["a", "b"], "samples": [[1, 2.5], [-3, 4e4]]}',
    ],
)
def test_window_is_read(data: bytes) -> None:
    assert cleaned(data) == Clean(WINDOW)


@pytest.mark.parametrize(
    ("data", "left_out"),
    [
        (b"# rate_hz: 2\n# by hand\na,b\n1,2.5\n#\n-3,4e4\n", "comments: 2"),
        (b"# John Smith\na,b\n1,2.5\n-3,4e4\n", "comments: 1"),
        (b"time,a,b\n2026-11-21T10:00,1,2.5\n,-3,4e4\n", "column 'time'"),
        (b"a,Timestamp (UTC),b\n1,1e9,2.5\n-3,nan,4e4\n", "column 2"),
        (b"unix_time_ms,a,b,date\n1,1,2.5,x\n2,-3,4e4,x\n", "column 'unix_time_ms', column 'date'"),
        (
            b'{"start":1,"channels":["ts","a","b"],"J S":1,"samples":[["x",1,2.5],[0,-3, 4e4]]}',
            "key 'start', key of the window, column 'ts'",
        ),
        (
            b'{"1":1,"2":1,"3":1,"x":1,"y":1,"z":1,"channels":["a","b"],"samples":[[1,2.5],[-3,4e4]]}',
            "key of the window, key of the window, key of the window, key 'x', key 'y', 1 more",
        ),
    ],
)
def test_what_is_no_sample_stays_behind_and_is_told(data: bytes, left_out: str) -> None:
    assert cleaned(data) == Clean(WINDOW, (f"left out of the window: {left_out}",))


@pytest.mark.parametrize("name", ["timer", "uptime", "datenrate", "runtime", "tsx", "t"])
def test_channel_that_is_no_clock_is_a_channel(name: str) -> None:
    payload = cleaned(f"# rate_hz: 1\n{name}\n1700000000\n".encode(), ANY).payload

    assert isinstance(payload, Window)
    assert payload.channels == (name,)


@pytest.mark.parametrize("data", [b"ts,a\n1.7e9,1\n1700000002.5,2\n", b"ts,a\n0,1\n2.5,2\n"])
def test_clock_that_the_task_asks_for_begins_at_0(data: bytes) -> None:
    expect = Expectation(PayloadKind.WINDOW, channels=("ts", "a"), rate_hz=1.0)

    found = cleaned(data, expect)

    assert found.payload == Window(struct.pack("<4f", 0, 1, 2.5, 2), ("ts", "a"), 1.0)
    assert found.changes == (
        ("counted from the first sample: 'ts'",) if data.startswith(b"ts,a\n1") else ()
    )


def test_any_window_is_read_when_nothing_is_expected() -> None:
    data = b'{"channels": ["x"], "rate_hz": 0.5, "samples": [[1]]}'

    assert cleaned(data, ANY) == Clean(Window(struct.pack("<f", 1), ("x",), 0.5))


def test_rate_within_a_clocks_error_is_kept_as_it_is() -> None:
    payload = cleaned(b"# rate_hz: 2.01\na,b\n1,2\n3,4\n").payload

    assert isinstance(payload, Window)
    assert payload.rate_hz == 2.01


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (b"\n \n", EmptyInputError, "empty"),
        (b"# rate_hz: 2\n", EmptyInputError, "no rows"),
        (b"a,b,c\n1,2,3\n1,2,3\n", ChannelsError, "3 channels: 'a', 'b', 'c'. .* expects 2: a, b"),
        (b"b,a\n1,2\n1,2\n", ChannelsError, "'b', 'a'. .* in this order"),
        (b"John Smith,b\n1,2\n1,2\n", ChannelsError, r"\(column 1\), 'b'"),
        (b"1,2\n1,2\n1,2\n", ChannelsError, r"\(column 1\), \(column 2\)"),
        (b"a,b\n1,2\n1\n", ChannelsError, "Row 2 has 1 values for 2 channels"),
        (b"a,b\n1,2,\n1,2\n", ChannelsError, "Row 1 has 3 values for 2 channels"),
        (b"a,b\n1,2\n1,nan\n", SampleError, "Row 2, channel 'b': NaN, infinity"),
        (b"a,b\n1,2\n-inf,1\n", SampleError, "Row 2, channel 'a': NaN, infinity"),
        (b"a,b\n1,2\n1,1e39\n", SampleError, "Row 2, channel 'b': .*beyond float32"),
        (b"a,b\n1,2\n1,secret\n", SampleError, "Row 2, channel 'b': not a number"),
        (b"a,b\n1,2\n1,\n", SampleError, "Row 2, channel 'b': not a number"),
        (b"a,b\n1,2\n", LengthError, "1 samples; the task needs 2"),
        (b"a,b\n1,2\n1,2\n1,2\n1,2\n", LengthError, "4 samples; the task takes 3"),
        (b"# rate_hz: 3\na,b\n1,2\n1,2\n", RateError, "3 Hz; the task expects 2 Hz"),
        (b"# rate_hz: secret\na,b\n1,2\n1,2\n", RateError, "Line 1"),
        (b"# rate_hz: 0\na,b\n1,2\n1,2\n", RateError, "above zero"),
        (b"# rate_hz: nan\na,b\n1,2\n1,2\n", RateError, "above zero"),
        (b'a,b\n1,"' + b"2" * 200_000 + b'"\n', SyntaxInputError, "not CSV"),
        (b"[[1, 2]]", SyntaxInputError, "lacks its channels or samples"),
        (b'{"channels": ["a"]}', SyntaxInputError, "lacks its channels or samples"),
        (b'{"channels": [1], "samples": []}', SyntaxInputError, "name is not a string"),
        (b'{"channels": ["a", "b"], "samples": [1]}', SyntaxInputError, "Row 1 is not a list"),
        (b'{"channels": ["a", "b"], "samples": [[1]]}', ChannelsError, "Row 1 has 1 values"),
        (b'{"channels": ["a", "b"], "samples": [[1, true]]}', SampleError, "Row 1, channel 'b'"),
        (b'{"channels": ["a", "b"], "samples": [[1, "x"]]}', SampleError, "Row 1, channel 'b'"),
        (b'{"channels": ["a", "b"], "samples": [[1, NaN], [1, 2]]}', SampleError, "Row 1, .*NaN"),
        (b'{"channels": ["a", "b"], "rate_hz": "2", "samples": []}', RateError, "not a number"),
        (b'{"channels": ["a", "b"], "rate_hz": true, "samples": []}', RateError, "not a number"),
        (b'{"channels": ["a", "b"], "samples": [[1, secret]]}', SyntaxInputError, "column 42"),
    ],
)
def test_unusable_window_is_refused(data: bytes, error: type[InputError], words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        cleaned(data)

    assert "secret" not in str(caught.value)
    assert "John" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize("header", [b"a,a", b"a,", b"a,a\xe2\x80\x8b"])
def test_channels_without_names_of_their_own_are_refused(header: bytes) -> None:
    with pytest.raises(ChannelsError, match="a name of its own"):
        cleaned(header + b"\n1,2\n", ANY)


def test_window_without_channels_is_refused() -> None:
    with pytest.raises(ChannelsError, match="a name of its own"):
        cleaned(b'{"channels": [], "rate_hz": 1, "samples": [[]]}', ANY)


def test_window_that_says_no_rate_is_refused_when_the_task_says_none() -> None:
    with pytest.raises(RateError, match="does not say its rate"):
        cleaned(b"a,b\n1,2\n", ANY)
