import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.wire.join_code import JoinCode, JoinSecret
from broker.wire.topics import FleetId

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE = JoinCode.parse("4F7K-9QXM-2B0T-HWZ9")


def test_what_a_code_opens_never_changes() -> None:
    secret = CODE.secret(FleetId("home"))

    assert secret.id == "0d28f68adb2e2576377d0de0fa057738"
    assert secret.request_key.hex().startswith("b08016d9da11165c")
    assert secret.answer_key.hex().startswith("4de4a064520efb56")
    assert secret.password.startswith("da722a7db4040cbf")


def test_a_code_is_read_as_it_is_shown() -> None:
    codes = [JoinCode.new() for _ in range(200)]

    assert [JoinCode.parse(code.shown()) for code in codes] == codes
    assert len(set(codes)) == 200
    assert all([len(part) for part in code.shown().split("-")] == [4, 4, 4, 4] for code in codes)


@pytest.mark.parametrize(
    "typed",
    ["4f7k-9qxm-2b0t-hwz9", "4F7K9QXM2B0THWZ9", " 4F7K 9QXM 2BoT HWZ9\n", "4F7K-9QXM-2BOT-HWZ9"],
)
def test_a_code_is_understood_however_it_is_typed(typed: str) -> None:
    assert JoinCode.parse(typed) == CODE


WRONG = {
    "nothing": ("", "this has 0"),
    "too short": ("4F7K-9QXM-2B0T-HWZ", "a code has 16 characters, this has 15"),
    "too long": ("4F7K-9QXM-2B0T-HWZ9S", "this has 17"),
    "a character of no code": ("4F7K-9QXM-2B0T-HWUS", "no code has U in it"),
    "no ASCII": ("4F7K-9QXM-2B0T-HWZ\N{FULLWIDTH DIGIT ONE}", "no code has"),
    "two that changed places": ("F47K-9QXM-2B0T-HWZ9", "mistyped"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_code_is_told_at_once(name: str) -> None:
    typed, message = WRONG[name]

    with pytest.raises(ValueError, match=message):
        JoinCode.parse(typed)


@given(place=st.integers(0, 15), other=st.sampled_from(ALPHABET))
def test_any_one_wrong_character_is_told(place: int, other: str) -> None:
    code = JoinCode.new().text
    wrong = code[:place] + other + code[place + 1 :]

    if wrong != code:
        with pytest.raises(ValueError, match="mistyped"):
            JoinCode.parse(wrong)


@given(st.text(max_size=40))
def test_whatever_is_typed_is_a_code_or_a_value_error(typed: str) -> None:
    try:
        code = JoinCode.parse(typed)
    except ValueError:
        return
    assert set(code.text) <= set(ALPHABET)


def test_a_code_opens_something_else_in_every_fleet() -> None:
    one, other = (CODE.secret(FleetId(name)) for name in ("home", "farm"))

    assert one.id != other.id
    assert one.request_key != other.request_key


def test_everything_that_a_code_opens_is_its_own() -> None:
    secret = JoinSecret(bytes(32))

    opened = {secret.id, secret.password, secret.request_key.hex(), secret.answer_key.hex()}

    assert len(opened) == 4
    assert not any(secret.password.startswith(each[:32]) for each in opened - {secret.password})


def test_no_code_is_shown_when_a_value_is_printed() -> None:
    assert repr(CODE) == "JoinCode()"
    assert repr(JoinSecret(bytes(32))) == "JoinSecret()"
