"""URLs and hosts, as tables: a new mistake adds a row first."""

import pytest

from agent.core.find import find


def found(text: str) -> list[tuple[str, str]]:
    return [(span.label, text[span.start : span.end]) for span in find(text)]


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("see https://www.Example.se/ now", "https://www.Example.se/"),
        ("(https://x.org/a_(b)).", "https://x.org/a_(b)"),
        ('"https://x.org/a", and', "https://x.org/a"),
        ("http://192.0.2.1:8080/x", "http://192.0.2.1:8080/x"),
        ("https://x.org/?q=john@example.com&page=2", "https://x.org/?q=john@example.com&page=2"),
        ("https://x.org/john%40example.com", "https://x.org/john%40example.com"),
        ("https://john@example.com/path", "https://john@example.com/path"),
        ("git+ssh://a@b/x.git", "git+ssh://a@b/x.git"),
        ("see:mqtt://broker:1883", "mqtt://broker:1883"),
        ("www.example.com.", "www.example.com"),
        ("example.com", "example.com"),
        ("example.co.uk:8080/path?q=1", "example.co.uk:8080/path?q=1"),
        ("shop.example.it", "shop.example.it"),
        ("t.co/abc", "t.co/abc"),
        ("EXAMPLE.DE", "EXAMPLE.DE"),
        ("bücher.example.org", "bücher.example.org"),
    ],
)
def test_url_is_found(text: str, url: str) -> None:
    assert found(text) == [("URL", url)]


@pytest.mark.parametrize(
    "text",
    [
        "build.sh main.rs x.py node.js state.cl tr.int log.info",
        "home.It was, home.it was",
        "com.android.phone.app java.net.Socket",
        "sshd.service foo.com.bar",
        "e.g. this, i.e. that, U.S. and U.K.",
        "self.example.com(1)",
        "a://",
        "://x",
    ],
)
def test_no_url_is_found(text: str) -> None:
    assert found(text) == []
