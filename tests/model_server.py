"""A model server that says what a test tells it to: real HTTP, on a free port, on threads."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

MODEL = "large"
Handler = BaseHTTPRequestHandler
Act = Callable[[Handler], None]


def said(text: str = "lamp_on", *, finish: str = "stop", **more: object) -> dict[str, object]:
    """A chat completion."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}}
    return {"object": "chat.completion", "choices": [{**choice, "finish_reason": finish, **more}]}


def logprobs(*values: float) -> dict[str, object]:
    """The log-probabilities of a choice's tokens."""
    return {"content": [{"token": "a", "logprob": value, "top_logprobs": []} for value in values]}


def send(body: object = None, status: int = 200, headers: dict[str, str] | None = None) -> Act:
    """Say something; bytes as they are, all else as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    def act(handler: Handler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)

    return act


def raw(content: bytes) -> Act:
    """Say something that need be no HTTP, and hang up."""

    def act(handler: Handler) -> None:
        handler.wfile.write(content)
        handler.close_connection = True

    return act


@dataclass
class Scripted:
    """What a server is about to do, and what it was asked."""

    port: int = 0
    answer: Act = field(default_factory=lambda: send(said()))
    first: list[Act] = field(default_factory=list)  # instead, once each
    models: Act = field(default_factory=lambda: send({"data": [{"id": MODEL}]}))
    asked: list[dict[str, object]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    looked: int = 0
    at_once: int = 0  # most questions at the same time
    _now: int = 0
    _lock: Lock = field(default_factory=Lock)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def get(self, handler: Handler) -> None:
        self.looked += 1
        self.models(handler)

    def post(self, handler: Handler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        with self._lock:
            self.asked.append(json.loads(body))
            self.headers.append(dict(handler.headers.items()))
            self._now += 1
            self.at_once = max(self.at_once, self._now)
            act = self.first.pop(0) if self.first else self.answer
        try:
            act(handler)
        finally:
            with self._lock:
                self._now -= 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """The other side hangs up when it has seen enough."""


@contextmanager
def scripted_server(script: Scripted | None = None, port: int = 0) -> Iterator[Scripted]:
    """A server for as long as a block; the same script may serve again on the same port."""
    serving = script or Scripted()

    class Handle(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            serving.get(self)

        def do_POST(self) -> None:
            serving.post(self)

        def log_message(self, *_: object) -> None:
            """A test asks the script instead."""

    with _Server(("127.0.0.1", port), Handle) as server:
        serving.port = server.server_address[1]
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield serving
        finally:
            server.shutdown()
            thread.join()
