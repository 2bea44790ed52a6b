import pytest

from agent.core.clean import Expectation, clean
from agent.core.errors import EmptyInputError, InputError, NotTextError, TooLargeError, shown
from agent.stages import Clean, Raw
from broker.wire.payload import PayloadKind, Text

EXPECT = Expectation(PayloadKind.TEXT)


def cleaned(data: bytes, expect: Expectation = EXPECT) -> Clean:
    return clean(Raw("task", "stdin:1", data), expect)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("  turn\ton \r\n the light ", "turn on the light"),
        ("\ufeffhello", "hello"),
        ("a\x07b\x7fc\x85d", "a b c d"),
        ("jo\u200bhn@ex\u00adample.com", "john@example.com"),
        ("\u202ecba\u202c", "cba"),
        ("e\u0301", "\u00e9"),
        ("e\u200b\u0301", "\u00e9"),
        ("a\u00a0b\u3000c", "a b c"),
        ("heart \u2764\ufe0f", "heart \u2764"),
        ("مرحبا 😀", "مرحبا 😀"),
    ],
)
def test_text_is_normalised(written: str, text: str) -> None:
    assert cleaned(written.encode()) == Clean(Text(text))


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (b"", EmptyInputError, "empty"),
        (b" \n\t", EmptyInputError, "empty"),
        ("\u200b\u200d".encode(), EmptyInputError, "invisible"),
        (b"\x7fELF\x02\x00", NotTextError, "zero byte at offset 5"),
        (b"secret\xff", NotTextError, "offset 6"),
        (b"\xef\xbb\xbfsecret\xff", NotTextError, "offset 9"),
        ("secret".encode("utf-16"), NotTextError, "UTF-16"),
        (b"secret" * 200_000, TooLargeError, "1200000 bytes; the task takes 1048576"),
    ],
)
def test_unusable_text_is_refused(data: bytes, error: type[InputError], words: str) -> None:
    with pytest.raises(error, match=words) as caught:
        cleaned(data)

    assert "secret" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_long_text_is_cut_at_a_space_and_says_so() -> None:
    expect = Expectation(PayloadKind.TEXT, max_chars=12)

    assert cleaned(b"the quick brown fox", expect) == Clean(
        Text("the quick"), ("truncated to 9 of 19 characters",)
    )
    assert cleaned(b"the quick br", expect) == Clean(Text("the quick br"))


def test_long_text_without_spaces_is_cut_where_it_must() -> None:
    expect = Expectation(PayloadKind.TEXT, max_chars=5)

    assert cleaned(b"abcdefgh", expect) == Clean(Text("abcde"), ("truncated to 5 of 8 characters",))


@pytest.mark.parametrize(
    "personal", ["4111 1111 1111 1111", "DE89 3704 0044 0532 0130 00", "+44 20 7946 0958"]
)
@pytest.mark.parametrize("room", range(26))
def test_cut_never_halves_personal_data(personal: str, room: int) -> None:
    expect = Expectation(PayloadKind.TEXT, max_chars=1000 + room)
    payload = cleaned(f"{'pay ' * 250}{personal} then rest {'x ' * 99}".encode(), expect).payload

    assert isinstance(payload, Text)
    assert payload.text.endswith("pay") or personal in payload.text


@pytest.mark.parametrize("name", ["speed", "T24", "fan_speed", "p/total"])
def test_message_may_repeat_a_name(name: str) -> None:
    assert shown(name, "number 1") == f"'{name}'"


@pytest.mark.parametrize(
    "name", ["", "John Smith", "a@b.com", "+49301234567", "DE893704004", "x" * 33]
)
def test_message_does_not_repeat_what_may_be_content(name: str) -> None:
    assert shown(name, "number 1") == "number 1"
