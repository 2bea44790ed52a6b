"""Messages: loading undoes dumping, and noise raises nothing but our error."""

import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.wire.errors import MessageError
from broker.wire.messages import (
    Answer,
    Busy,
    Kind,
    Priority,
    Question,
    Refused,
    Reply,
    WrongDate,
    dump_question,
    dump_reply,
    load_question,
    load_reply,
)
from broker.wire.payload import Payload, Record, Text, Window

WORDS = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
DOMAINS = st.from_regex(r"[a-z0-9][a-z0-9/_-]{0,127}", fullmatch=True)


@st.composite
def windows(draw: st.DrawFn) -> Window:
    channels = tuple(draw(st.lists(WORDS, min_size=1, max_size=5)))
    rows = draw(st.integers(1, 20))
    samples = draw(st.binary(min_size=4 * rows * len(channels), max_size=4 * rows * len(channels)))
    return Window(samples, channels, draw(st.floats(0, 1e6)))


PAYLOADS: st.SearchStrategy[Payload] = st.one_of(
    WORDS.map(Text),
    st.dictionaries(WORDS, st.one_of(NUMBERS, WORDS)).map(Record),
    windows(),
)
QUESTIONS = st.builds(Question, DOMAINS, PAYLOADS, st.sampled_from(Priority))
REPLIES: st.SearchStrategy[Reply] = st.one_of(
    st.builds(
        Answer,
        WORDS,
        st.text(st.characters(exclude_categories=["Cs"]), max_size=128),
        st.floats(0, 1),
        st.booleans(),
    ),
    st.builds(Busy, st.floats(0, 3600)),
    st.builds(WrongDate, st.integers(0, 2**40)),
    st.builds(Refused, st.text(st.characters(exclude_categories=["Cs"]), max_size=256)),
)
# Noise that gets past the first checks: the right kind, a length that fits, JSON that nearly does.
HEADERS = st.one_of(
    st.binary(max_size=60),
    st.sampled_from(
        [
            b"",
            b"null",
            b"[" * 5000,
            b'{"domain":"home","payload":"record"}',
            b'{"domain":"home","payload":"window","channels":["a"],"rate_hz":1.0}',
            b'{"domain":"home","payload":"window","channels":[],"rate_hz":1.0}',
            b'{"domain":"home","payload":"window","channels":["a"],"rate_hz":NaN}',
            b'{"domain":"../..","payload":"text"}',
            b'{"domain":"home","payload":"text","more":1}',
            b'{"model":"m","confidence":2}',
            b'{"retry_after_s":1e999}',
            b'{"now_s":-1}',
        ]
    ),
)


@st.composite
def near_messages(draw: st.DrawFn) -> bytes:
    kind = draw(st.sampled_from([*map(int, Kind), 0, 255]))
    header, content = draw(HEADERS), draw(st.one_of(st.binary(max_size=40), st.just(b"[" * 20_000)))
    return bytes([kind]) + len(header).to_bytes(2, "big") + header + content


@given(QUESTIONS)
def test_loading_undoes_dumping_a_question(question: Question) -> None:
    assert load_question(dump_question(question)) == question


@given(REPLIES)
def test_loading_undoes_dumping_a_reply(reply: Reply) -> None:
    assert load_reply(dump_reply(reply)) == reply


@given(st.one_of(st.binary(max_size=300), near_messages()))
def test_noise_raises_nothing_but_our_error(noise: bytes) -> None:
    read: list[object] = []
    for load in (load_question, load_reply):
        with suppress(MessageError):
            read.append(load(noise))

    assert len(read) < 2  # no bytes are a question and a reply at once


@given(QUESTIONS, REPLIES)
def test_a_question_is_no_reply_and_a_reply_no_question(question: Question, reply: Reply) -> None:
    with pytest.raises(MessageError):
        load_reply(dump_question(question))
    with pytest.raises(MessageError):
        load_question(dump_reply(reply))


@given(QUESTIONS, st.data())
def test_a_question_cut_short_is_refused_or_is_one_of_fewer_words(
    question: Question, data: st.DataObject
) -> None:
    whole = dump_question(question)
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]

    with suppress(MessageError):
        assert load_question(cut).domain == question.domain


BAD_RECORDS = {
    "a list": b"[1]",
    "a nested record": b'{"a":{"b":1}}',
    "a truth value": b'{"a":true}',
    "nothing": b'{"a":null}',
    "not JSON": b'{"a":',
    "not UTF-8": b'{"a":"\xff"}',
    "a number too long for a float": b'{"a":1' + b"0" * 400 + b"}",
}


@pytest.mark.parametrize("content", BAD_RECORDS.values(), ids=BAD_RECORDS)
def test_a_record_of_other_values_is_refused(content: bytes) -> None:
    header = b'{"domain":"home","payload":"record"}'

    with pytest.raises(MessageError):
        load_question(b"\x01" + len(header).to_bytes(2, "big") + header + content)


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
def test_a_record_of_a_number_that_is_not_finite_is_refused(number: bytes) -> None:
    header = b'{"domain":"home","payload":"record"}'

    with pytest.raises(MessageError):
        load_question(b"\x01" + len(header).to_bytes(2, "big") + header + b'{"a":' + number + b"}")


@pytest.mark.parametrize("domain", ["", "home\\n", "Home", "/home", "a" * 129, "h\\u00f6me"])
def test_a_domain_that_is_no_path_is_refused(domain: str) -> None:
    header = f'{{"domain":"{domain}","payload":"text"}}'.encode()

    with pytest.raises(MessageError):
        load_question(b"\x01" + len(header).to_bytes(2, "big") + header + b"hello")


@pytest.mark.parametrize("confidence", [-0.1, 1.1, math.nan])
def test_a_confidence_out_of_range_is_not_sent(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        dump_reply(Answer("on", "model 1", confidence))
