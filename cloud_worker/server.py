"""An OpenAI-compatible model server over HTTP; the only module that imports httpx.

    body --POST--> 200             the reply's bytes
                   429 502 503 504 |
                   no connection   | wait, with backoff and jitter, as long as the deadline allows;
                                   | then SaturatedError: the device is told to ask again
                   anything else   UnusableReplyError, which names the status and never the text

Nothing of what the server says is believed before it is parsed, and only so much of it is read.
A redirect is never followed: it would show the question to somebody that nobody chose. Proxies
and netrc files of the environment are not used either.
"""

import random
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Event
from typing import Self

import httpx

from cloud_worker.errors import SaturatedError, UnusableReplyError
from cloud_worker.retry_after import retry_after_s

MAX_REPLY_BYTES = 8 * 1024 * 1024  # 32,768 tokens with their log-probabilities
_MAX_REFUSAL_BYTES = 64 * 1024
_LATER = frozenset({429, 502, 503, 504})  # full, or away behind a gateway (RFC 9110, section 15.6)
_CONNECT_S = 5.0  # a server that is there answers a connection at once
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 8.0


Trouble = Callable[[], bool]  # told that nobody was reached; says whether to give up


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAddress:
    """Where a model server is, and how it knows us."""

    base_url: str  # with the version in it, such as http://127.0.0.1:8000/v1
    api_key: str = field(default="", repr=False)
    connections: int = 1  # kept open at most


@dataclass(frozen=True, slots=True)
class Said:
    """What a server said, whatever it is."""

    status: int
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Later:
    """The server takes no question now."""

    why: str
    pause_s: float = 0.0  # at least
    reached: bool = True


class ModelServer:
    """Asks one server. May be used from several threads at once.

    Args:
        address: Where it is.
    """

    def __init__(self, address: ServerAddress) -> None:
        key = {"Authorization": f"Bearer {address.api_key}"} if address.api_key else {}
        self._closed = Event()
        self._client = httpx.Client(
            base_url=address.base_url.rstrip("/") + "/",
            headers={"Accept-Encoding": "identity", "Accept": "application/json", **key},
            verify=ssl.create_default_context(),
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(
                max_connections=None, max_keepalive_connections=address.connections
            ),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections, and of whoever waits for another try."""
        self._closed.set()
        self._client.close()

    def look(self, path: str, *, within_s: float) -> Said:
        """Get a page once.

        Raises:
            SaturatedError: the server is away.
            UnusableReplyError: it says too much.
        """
        found = self._try("GET", path, b"", time.monotonic() + within_s)
        if isinstance(found, _Later):
            raise SaturatedError(found.why, retry_after_s=found.pause_s)
        return found

    def ask(self, path: str, body: bytes, deadline_s: float, trouble: Trouble) -> Said:
        """Post a question until the server takes it; `deadline_s` is monotonic time.

        Raises:
            SaturatedError: the server took no question until the deadline, or is away.
            UnusableReplyError: it says too much, or sends us elsewhere.
        """
        pauses = _backoff()
        while True:
            found = self._try("POST", path, body, deadline_s)
            if isinstance(found, Said):
                return found
            pause_s = max(found.pause_s, next(pauses))
            hopeless = not found.reached and trouble()
            in_time = time.monotonic() + pause_s < deadline_s
            if hopeless or not in_time or self._closed.wait(pause_s):
                raise SaturatedError(found.why, retry_after_s=found.pause_s)

    def _try(self, method: str, path: str, body: bytes, deadline_s: float) -> Said | _Later:
        left_s = deadline_s - time.monotonic()
        if left_s <= 0:
            return _Later("no answer in time")
        timeout = httpx.Timeout(left_s, connect=min(left_s, _CONNECT_S))
        try:
            with self._client.stream(
                method,
                path,
                content=body or None,
                headers={"Content-Type": "application/json"} if body else None,
                timeout=timeout,
            ) as response:
                return _said(response, deadline_s)
        except httpx.TimeoutException:
            return _Later("no answer in time", reached=False)
        except (httpx.TransportError, RuntimeError) as error:
            # RuntimeError: the client was closed under us, since the worker stops.
            return _Later(f"no connection: {type(error).__name__}", reached=False)


def _said(response: httpx.Response, deadline_s: float) -> Said | _Later:
    status = response.status_code
    if status in _LATER:
        return _Later(f"HTTP {status}", retry_after_s(response.headers.get("Retry-After")))
    if response.is_redirect:
        raise UnusableReplyError(
            f"the model server sends us elsewhere: HTTP {status}. Set base_url to the place itself"
        )
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise UnusableReplyError("the model server packs its reply, which it was asked not to do")
    most_bytes = MAX_REPLY_BYTES if response.is_success else _MAX_REFUSAL_BYTES
    body = bytearray()
    for piece in response.iter_raw():
        body += piece
        if len(body) > most_bytes:
            raise UnusableReplyError(f"the model server's reply is over {most_bytes} bytes")
        if time.monotonic() >= deadline_s:  # it trickles
            return _Later("no answer in time")
    return Said(status, bytes(body))


def _backoff() -> Iterator[float]:
    """Pauses that double, with full jitter, so that those who wait do not come back together."""
    longest_s = _FIRST_PAUSE_S
    while True:
        yield random.uniform(longest_s / 2, longest_s)  # noqa: S311 - no secret
        longest_s = min(2 * longest_s, _LONGEST_PAUSE_S)
