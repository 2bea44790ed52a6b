"""A few pages over HTTP for those who run a service: is it well, what has it counted. GET only.

    /healthz --> Page(200 | 503, ...)      looked up when asked for, never from memory

Whoever comes late, slowly or in numbers takes nothing from those who ask as they should: a request
has to be here whole within two seconds and 8 KiB, its answer taken within two more; of more
connections than sixteen the oldest is hung up on, which is never the one that just came.
"""

import logging
import socket
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from socketserver import BaseServer
from threading import Lock, Thread
from typing import Self

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"
_MOST_CONNECTIONS = 16
_MOST_HEAD_BYTES = 8 * 1024  # of a request: its line and its headers; a body is not read
_READ_S = _WRITE_S = 2.0
_POLL_S = 0.1  # how long a stop may take


_log = logging.getLogger(__name__)


class PagesUnavailableError(Exception):
    """The address for pages cannot be listened on."""


@dataclass(frozen=True, slots=True)
class Page:
    """An answer."""

    status: HTTPStatus
    kind: str  # media type
    body: bytes = field(repr=False)


Look = Callable[[], Page]  # called on a thread of its own


class PageServer:
    """Serves pages for as long as a block.

    Args:
        host: The address to listen on.
        port: TCP; 0 takes a free one.
        pages: What to serve, by path.

    Raises:
        PagesUnavailableError: the address is in use, or not of this machine.
    """

    def __init__(self, host: str, port: int, pages: Mapping[str, Look]) -> None:
        try:
            self._server = _Server(host, port, pages)
        except OSError as error:
            raise PagesUnavailableError(
                f"{host}:{port} cannot be listened on: {error.strerror or error}"
            ) from error
        self._thread = Thread(target=self._serve, name="pages", daemon=True)

    @property
    def address(self) -> str:
        """Where it listens, as a URL without a path."""
        host, port = self._server.server_address[:2]
        name = str(host)
        return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=_POLL_S)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # nobody who reads slowly keeps a service from ending
    request_queue_size = _MOST_CONNECTIONS

    def __init__(self, host: str, port: int, pages: Mapping[str, Look]) -> None:
        self.pages = pages
        self._open: dict[object, None] = {}  # connections, oldest first
        self._lock = Lock()
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """Without the name look-up of http.server, which can take seconds and serves nothing."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def process_request(self, request: object, client_address: object) -> None:
        """See socketserver: a connection has come."""
        with self._lock:
            self._open[request] = None
            late = list(self._open)[:-_MOST_CONNECTIONS]
        for each in late:
            _hang_up(each)
        super().process_request(request, client_address)  # type: ignore[arg-type]

    def shutdown_request(self, request: object) -> None:
        """See socketserver: a connection is done with."""
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)  # type: ignore[arg-type]

    def handle_error(self, *_: object) -> None:
        """See socketserver: the other side left, which is its right, or a page is at fault."""
        if not isinstance(sys.exception(), OSError):
            _log.exception("a page could not be made")


class _Handler(BaseHTTPRequestHandler):
    server_version, sys_version = "firstline", ""
    error_message_format, error_content_type = "%(code)d %(message)s\n", TEXT
    connection: socket.socket
    server: BaseServer

    def setup(self) -> None:
        """Take the whole request first, so that nothing waits for more of it."""
        super().setup()
        self.rfile = BytesIO(_head(self.connection))
        self.connection.settimeout(_WRITE_S)  # of a whole `sendall`

    def do_GET(self) -> None:
        """Serve a page."""
        pages = self.server.pages if isinstance(self.server, _Server) else {}
        look = pages.get(self.path.partition("?")[0])
        if look is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self._send(look())

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """See http.server: a verb that it has no method for is one that we do not allow."""
        if code == HTTPStatus.NOT_IMPLEMENTED:
            body = b"405 only GET\n"
            self._send(Page(HTTPStatus.METHOD_NOT_ALLOWED, TEXT, body), Allow="GET")
        else:
            super().send_error(code, message, explain)

    def log_message(self, *_: object) -> None:
        """Say nothing: whoever looks every second would fill the log."""

    def _send(self, page: Page, **headers: str) -> None:
        self.send_response(page.status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", page.kind)
        self.send_header("Content-Length", str(len(page.body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":  # RFC 9110, section 9.3.2
            self.wfile.write(page.body)


def _head(connection: socket.socket) -> bytes:
    """A request's line and headers; empty, which http.server takes for a farewell, if too much."""
    give_up_s = time.monotonic() + _READ_S
    head = bytearray()
    while b"\r\n\r\n" not in head:
        left_s = give_up_s - time.monotonic()
        if left_s <= 0 or len(head) > _MOST_HEAD_BYTES:
            return b""
        connection.settimeout(left_s)
        try:
            piece = connection.recv(_MOST_HEAD_BYTES)
        except OSError:
            return b""
        if not piece:
            return b""
        head += piece
    return bytes(head)


def _hang_up(connection: object) -> None:
    with suppress(OSError):  # it has left by itself
        if isinstance(connection, socket.socket):
            connection.shutdown(socket.SHUT_RDWR)
