"""Pages over HTTP: for those who ask as they should, whatever the others do."""

import http.client
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from http import HTTPStatus
from threading import Event as Flag

import pytest

from broker import pages
from broker.pages import TEXT, Page, PageServer, PagesUnavailableError
from firstline.exits import ExitCode, code_of

HELLO = Page(HTTPStatus.OK, TEXT, b"hello\n")
MOST = 16  # connections
SLOW_S = 2.0  # in which a request has to be here


@pytest.fixture
def server() -> Iterator[PageServer]:
    with PageServer("127.0.0.1", 0, {"/hello": lambda: HELLO}) as serving:
        yield serving


def port_of(server: PageServer) -> int:
    return int(server.address.rpartition(":")[2])


def get(server: PageServer, path: str, verb: str = "GET") -> tuple[int, str, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port_of(server), timeout=60)
    try:
        connection.request(verb, path)
        response = connection.getresponse()
        return response.status, response.headers.get("Allow", ""), response.read()
    finally:
        connection.close()


def connected(server: PageServer, sends: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port_of(server)), timeout=60)
    connection.sendall(sends)
    return connection


def said(connection: socket.socket) -> bytes:
    """All that comes until the other side hangs up."""
    heard = b""
    with suppress(ConnectionResetError):  # it may leave what we sent unread
        while piece := connection.recv(4096):
            heard += piece
    return heard


ASKED = {
    "a page": ("GET", "/hello", (200, "", b"hello\n")),
    "with a query": ("GET", "/hello?a=b", (200, "", b"hello\n")),
    "nothing there": ("GET", "/", (404, "", b"404 Not Found\n")),
    "above it": ("GET", "/../hello", (404, "", b"404 Not Found\n")),
    "another verb": ("POST", "/hello", (405, "GET", b"405 only GET\n")),
    "a verb without a body": ("HEAD", "/hello", (405, "GET", b"")),
    "no verb": ("BREW", "/hello", (405, "GET", b"405 only GET\n")),
}


@pytest.mark.parametrize(("verb", "path", "answer"), ASKED.values(), ids=ASKED)
def test_only_pages_are_served_and_only_to_get(
    server: PageServer, verb: str, path: str, answer: tuple[int, str, bytes]
) -> None:
    assert get(server, path, verb) == answer


def test_a_page_that_fails_is_told(caplog: pytest.LogCaptureFixture) -> None:
    def fails() -> Page:
        raise ValueError("somebody@example.org")

    with (
        PageServer("127.0.0.1", 0, {"/hello": fails}) as server,
        suppress(http.client.RemoteDisconnected),
    ):
        get(server, "/hello")

    assert [record.getMessage() for record in caplog.records] == ["a page could not be made"]


NONSENSE = {
    "no HTTP": b"\x16\x03\x01\x02\x00\r\n\r\n",
    "a line without end": b"GET /" + b"a" * 20_000,
    "headers without end": b"GET /hello HTTP/1.1\r\n" + b"a: b\r\n" * 5000,
}


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that waits for slow requests longer than these tests do."""
    monkeypatch.setattr(pages, "_READ_S", 60.0)


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("sent", NONSENSE.values(), ids=NONSENSE)
def test_what_is_no_request_is_hung_up_on(server: PageServer, sent: bytes) -> None:
    with connected(server, b"") as connection:
        with suppress(ConnectionError):  # it may hang up before the end
            connection.sendall(sent)
        heard = said(connection)

    assert b"hello" not in heard
    assert get(server, "/hello")[0] == 200


def test_a_request_that_comes_slowly_is_hung_up_on(server: PageServer) -> None:
    begun_s = time.monotonic()
    with connected(server, b"GET /hello HTTP/1.1\r\n") as connection:
        heard = said(connection)

    assert heard == b""
    assert SLOW_S * 0.9 <= time.monotonic() - begun_s < SLOW_S * 15


@pytest.mark.usefixtures("patient")
def test_many_who_ask_slowly_keep_nobody_waiting(server: PageServer) -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(connected(server, b"GET /hel")) for _ in range(3 * MOST)]
        answers = [get(server, "/hello")[0] for _ in range(5)]
        heard = [said(each) for each in slow[: 2 * MOST]]  # the oldest gave way

    assert answers == [200] * 5
    assert heard == [b""] * (2 * MOST)


def test_a_stop_waits_for_nobody() -> None:
    begun, gate = Flag(), Flag()

    def wait() -> Page:
        begun.set()
        gate.wait(60)
        return HELLO

    with PageServer("127.0.0.1", 0, {"/slow": wait}) as serving:
        slow = connected(serving, b"GET /slow HTTP/1.0\r\n\r\n")
        assert begun.wait(60)
        begun_s = time.monotonic()
    took_s = time.monotonic() - begun_s
    gate.set()
    slow.close()

    assert took_s < 30


def test_an_address_in_use_is_told(server: PageServer) -> None:
    with pytest.raises(PagesUnavailableError, match=f"127.0.0.1:{port_of(server)} cannot") as found:
        PageServer("127.0.0.1", port_of(server), {})

    assert code_of(found.value) is ExitCode.FAILURE


def test_an_address_of_ipv6_is_served() -> None:
    try:
        serving = PageServer("::1", 0, {"/hello": lambda: HELLO})
    except PagesUnavailableError:
        pytest.skip("this machine has no IPv6")
    with serving:
        assert serving.address.startswith("http://[::1]:")
        with socket.create_connection(("::1", port_of(serving)), timeout=60) as connection:
            connection.sendall(b"GET /hello HTTP/1.0\r\n\r\n")
            assert said(connection).endswith(b"hello\n")
