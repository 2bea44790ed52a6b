# ruff: noqa: RUF001 - look-alike characters are what some rows are about
"""E-mail, IP and MAC addresses, as tables: a new mistake adds a row first."""

import ipaddress

import pytest

from agent.core.find import find
from agent.core.find.address import is_v6


def found(text: str) -> list[tuple[str, str]]:
    return [(span.label, text[span.start : span.end]) for span in find(text)]


@pytest.mark.parametrize(
    ("text", "email"),
    [
        ("mail john.doe@example.com now", "john.doe@example.com"),
        ("john.doe+pump@mail.example.co.uk.", "john.doe+pump@mail.example.co.uk"),
        ("<john@example.com>", "john@example.com"),
        ("'john@example.com'", "john@example.com"),
        ("mailto:john@example.com?subject=hi", "john@example.com"),
        ("jürgen.müller@exämple.de", "jürgen.müller@exämple.de"),
        ("john＠example．com", "john＠example．com"),
        ('"john doe"@example.com', '"john doe"@example.com'),
        ("root@192.168.0.1 logged in", "root@192.168.0.1"),
        ("root@[fe80::1] logged in", "root@[fe80::1]"),
        ("a@xn--bcher-kva.xn--p1ai", "a@xn--bcher-kva.xn--p1ai"),
        ("地址john@example.com。", "地址john@example.com"),
    ],
)
def test_email_is_found(text: str, email: str) -> None:
    assert found(text) == [("EMAIL", email)]


def test_emails_beside_each_other_are_found_each() -> None:
    assert found("a@b.com,c@d.org;e@f.net") == [
        ("EMAIL", "a@b.com"),
        ("EMAIL", "c@d.org"),
        ("EMAIL", "e@f.net"),
    ]


@pytest.mark.parametrize(
    "text", ["@example.com", "a @ b", "meet @ 5", "user@host", "@@@", "a@.com"]
)
def test_no_email_is_found(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("from 10.0.0.1.", "10.0.0.1"),
        ("10.0.0.0/24", "10.0.0.0"),
        ("eth0_10.0.0.1", "10.0.0.1"),
        ("地址10.0.0.1是", "10.0.0.1"),
        ("...10.0.0.1", "10.0.0.1"),
        ("0.0.0.0", "0.0.0.0"),  # noqa: S104 - nothing is bound
        ("2001:db8::1", "2001:db8::1"),
        ("2001:db8::", "2001:db8::"),
        ("from 2001:db8::1: ok", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("host:fe80::1", "fe80::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("地址fe80::1是", "fe80::1"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
        ("2001:0db8:0000:0000:0000:ff00:0042:8329", "2001:0db8:0000:0000:0000:ff00:0042:8329"),
        ("fe80::aa:bb:cc:dd:ee:ff", "fe80::aa:bb:cc:dd:ee:ff"),
    ],
)
def test_ip_is_found(text: str, address: str) -> None:
    assert found(text) == [("IP", address)]


@pytest.mark.parametrize(
    "text",
    [
        "256.1.1.1",
        "1.2.3",
        "1.2.3.4.5",
        "01.2.3.4",
        "v1.2.3.4",
        "1.2.3.4ms",
        "std::deque a::b ::",
        "deque::add",
        "1::2::3",
        "2001:db8:1",
        "12345::1",
        "queue::1",
        "fe80::1xyz",
        "1:2:3:4:5:6:7:8:9",
    ],
)
def test_no_ip_is_found(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "mac"),
    [
        ("00:1A:2b:3c:4D:5e", "00:1A:2b:3c:4D:5e"),
        ("00-1A-2B-3C-4D-5E", "00-1A-2B-3C-4D-5E"),
        ("001a.2b3c.4d5e", "001a.2b3c.4d5e"),
        ("MAC:00:11:22:33:44:55,", "00:11:22:33:44:55"),
        ("00:11:22:33:44:55:add", "00:11:22:33:44:55"),
        ("00–1A–2B–3C–4D–5E", "00–1A–2B–3C–4D–5E"),
    ],
)
def test_mac_is_found(text: str, mac: str) -> None:
    assert found(text) == [("MAC", mac)]


@pytest.mark.parametrize(
    "text",
    [
        "00:1A:2b:3c:4D",
        "00:1A-2b:3c-4D:5e",
        "00:1A:2b:3c:4D:5g",
        "aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99",  # a fingerprint
        "001a.2b3c.4d5e.6f70",
        "12.34.56",
    ],
)
def test_no_mac_is_found(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize("text", ["::", "1::", "::1", "1:2:3:4:5:6:7::", "::1.2.3.4", "1:2::3:4"])
def test_ipv6_reader_agrees_with_the_library_on_good_ones(text: str) -> None:
    assert is_v6(text)
    ipaddress.IPv6Address(text)  # raises if it is none


@pytest.mark.parametrize(
    "text",
    ["", ":", ":::", "1:::2", "1::2::3", "1:2:3:4:5:6:7:8::", "::1.2.3.256", "1.2.3.4", "g::"],
)
def test_ipv6_reader_agrees_with_the_library_on_bad_ones(text: str) -> None:
    assert not is_v6(text)
    with pytest.raises(ipaddress.AddressValueError):
        ipaddress.IPv6Address(text)
