# ruff: noqa: RUF001 - look-alike characters are what some pieces are about
import ipaddress
import re

from hypothesis import given
from hypothesis import strategies as st

from agent.core.find import find
from agent.core.find.address import is_v6
from agent.core.find.bank import luhn, mod_97
from agent.core.find.fold import BLANK, blank, fold
from agent.core.find.overlap import PRECEDENCE, settle
from agent.stages import Span

PERSONAL = st.sampled_from(
    [
        "john@example.com",
        "+44 20 7946 0958",
        "(415) 555-0123",
        "4111 1111 1111 1111",
        "378282246310005",
        "DE89 3704 0044 0532 0130 00",
        "192.0.2.1",
        "2001:db8::1",
        "00:1A:2b:3c:4D:5e",
    ]
)
NEAR = st.sampled_from([*'0123456789 .:-+@/()x%"aF\n–４', "2026-11-20", "555", "::", "%40", "tel"])
TEXTS = st.lists(st.one_of(PERSONAL, NEAR, st.text(max_size=3)), max_size=20).map("".join)
DIGITS = st.text("0123456789", min_size=11, max_size=18)


def covered(text: str) -> set[int]:
    return {place for span in find(text) for place in range(span.start, span.end)}


@given(TEXTS)
def test_spans_are_sorted_disjoint_and_inside(text: str) -> None:
    end = 0
    for span in find(text):
        assert end <= span.start < span.end <= len(text)
        assert 0 < span.score <= 1
        assert span.label in PRECEDENCE
        assert span.rule
        end = span.end


@given(st.lists(st.one_of(PERSONAL, st.integers(0, 10**6).map(str)), max_size=8))
def test_nothing_beside_it_hides_personal_data(pieces: list[str]) -> None:
    text = " ; ".join(pieces)
    wanted = {
        place
        for found in re.finditer(r"[^;]*[^; ]", text)
        if not found[0].strip().isdigit() or len(found[0].strip()) > 7
        for place in range(found.start() + len(found[0]) - len(found[0].lstrip()), found.end())
    }

    assert wanted <= covered(text)


@given(st.lists(st.integers(0, 9999).map(str), max_size=12), st.data())
def test_no_number_beside_a_card_hides_its_digits(numbers: list[str], data: st.DataObject) -> None:
    card = data.draw(
        st.sampled_from(["4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005"])
    )
    before = data.draw(st.integers(0, len(numbers)))
    text = " ".join([*numbers[:before], card, *numbers[before:]])
    start = text.rindex(card) if before == len(numbers) else text.index(card)

    assert set(range(start, start + len(card))) <= covered(text)


@given(DIGITS, st.sampled_from("3456"), st.sampled_from(["", " ", "-"]))
def test_every_card_is_found_and_no_card_with_a_wrong_digit(
    digits: str, first: str, separator: str
) -> None:
    body = (first + digits)[:18]
    check = next(digit for digit in "0123456789" if luhn(body + digit))
    wrong = str((int(check) + 1) % 10)

    def written(number: str) -> str:
        return separator.join(number[n : n + 4] for n in range(0, len(number), 4))

    spans = find(written(body + check))
    assert [(span.start, span.end) for span in spans] == [(0, len(written(body + check)))]
    assert spans[0].label in {"CARD", "IMEI"}  # an IMEI passes the same check
    assert not any(span.label == "CARD" for span in find(body + wrong))


@given(st.text("0123456789", min_size=18, max_size=18), st.sampled_from(["", " "]))
def test_every_iban_is_found(account: str, separator: str) -> None:
    check = next(f"{n:02}" for n in range(2, 99) if mod_97(f"DE{n:02}{account}"))
    iban = f"DE{check}{account}"
    written = separator.join(iban[n : n + 4] for n in range(0, len(iban), 4))

    assert find(f"to {written}.") == (Span(3, 3 + len(written), "IBAN", 1.0, "mod 97"),)


@given(st.ip_addresses(v=4).map(str))
def test_every_ipv4_address_is_found(address: str) -> None:
    assert find(f"[{address}]") == (Span(1, 1 + len(address), "IP", 1.0, "IPv4"),)


@given(st.ip_addresses(v=6), st.booleans())
def test_every_ipv6_address_is_found(address: ipaddress.IPv6Address, long: bool) -> None:  # noqa: FBT001 - drawn
    text = address.exploded if long else str(address)

    assert is_v6(text)
    if any(c.isdigit() for c in text) or text.count(":") > 2:
        assert [(span.start, span.end) for span in find(f" {text} ")] == [(1, 1 + len(text))]


@given(
    st.text("01af:.", max_size=12) | st.from_regex(r"[0-9a-f:]{0,30}(1\.2\.3\.4)?", fullmatch=True)
)
def test_ipv6_reader_agrees_with_the_library(text: str) -> None:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        assert not is_v6(text)
    else:
        assert is_v6(text)


@given(st.integers(0, 2**48 - 1), st.sampled_from(":-."))
def test_every_mac_address_is_found(number: int, separator: str) -> None:
    size = 4 if separator == "." else 2
    digits = f"{number:012x}"
    text = separator.join(digits[n : n + size] for n in range(0, 12, size))

    assert [(span.label, span.start, span.end) for span in find(f"<{text}>")] == [
        ("MAC", 1, 1 + len(text))
    ]


@given(st.text())
def test_fold_keeps_every_position(text: str) -> None:
    assert len(fold(text)) == len(text)


@st.composite
def span_lists(draw: st.DrawFn) -> list[Span]:
    starts = st.integers(0, 30)
    sizes = st.integers(1, 8)
    labels = st.sampled_from(["EMAIL", "CARD", "PHONE"])
    triples = draw(st.lists(st.tuples(starts, sizes, labels), max_size=8))
    return [Span(start, start + size, label) for start, size, label in triples]


@given(span_lists(), st.text("a1 ,", min_size=40, max_size=40))
def test_settling_covers_the_same_letters_and_digits_in_sorted_disjoint_spans(
    spans: list[Span], text: str
) -> None:
    settled = settle(text, spans)

    before = {place for span in spans for place in range(span.start, span.end)}
    after = [place for span in settled for place in range(span.start, span.end)]
    assert after == sorted(set(after))
    assert set(after) <= before
    assert not any(text[place].isalnum() for place in before - set(after))
    assert {span.label for span in settled} <= {span.label for span in spans}
    assert settle(text, settled) == settled


@given(span_lists())
def test_blanking_overwrites_what_spans_cover_and_nothing_else(spans: list[Span]) -> None:
    text = "x" * 40

    assert blank(text, spans) == "".join(
        BLANK if any(span.start <= place < span.end for span in spans) else "x"
        for place in range(40)
    )
