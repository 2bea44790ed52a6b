"""Brings TUF's client its metadata over the device's connection: retained messages.

    timestamp.json and the root that would come next are asked for together. A root that has not
    come a moment after the timestamp is there is not published: MQTT has no word for "not found".

    a file = part 0 (says how many there are) + the others, a few at a time

Nothing here is believed. Who asked stops at the length that it allows, and checks signatures.
"""

import re
import time
from collections.abc import Iterator, Sequence
from typing import Final

from tuf.api.exceptions import (
    DownloadError,
    DownloadHTTPError,
    DownloadLengthMismatchError,
    SlowRetrievalError,
)
from tuf.ngclient.fetcher import FetcherInterface

from agent.update.line import Heard, Line
from broker.wire import parts
from broker.wire.topics import FleetId, release_block, release_metadata

PATIENCE_S: Final = 20.0  # for each message
GRACE_S: Final = 0.5  # for a root, once the timestamp is there; longer if that took longer
_WINDOW: Final = 8  # parts on their way: 1 MiB
_MOST_OLD: Final = 1_000  # messages
_NOT_FOUND: Final = 404
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,127}")
_ROOT: Final = re.compile(r"[1-9][0-9]*\.root\.json")
_TIMESTAMP: Final = "timestamp.json"


class MqttFetcher(FetcherInterface):
    """Asks the broker for what it retains.

    Args:
        line: The device's connection. Nobody else hears while a file comes.
        fleet: Whose releases.
        patience_s: How long to wait for one message.
        grace_s: How long a root may come after the timestamp; as long as that took, at least.
    """

    def __init__(
        self,
        line: Line,
        fleet: FleetId,
        *,
        patience_s: float = PATIENCE_S,
        grace_s: float = GRACE_S,
    ) -> None:
        self._line = line
        self._fleet = fleet
        self._patience_s = patience_s
        self._grace_s = grace_s
        self._timestamp = b""  # that came while we asked for a root

    def block(self, digest: str) -> bytes:
        """Whatever the broker retains as a block of this name; may be anything.

        Raises:
            SlowRetrievalError: nothing came.
            LineClosedError: there is no agent any more.
        """
        return self._one(release_block(self._fleet, digest))

    def file(self, name: str) -> bytes:
        """Whatever the broker retains as a file of this name, in one part.

        Raises:
            DownloadError: nothing came, or no part of a file.
            LineClosedError: there is no agent any more.
        """
        return b"".join(self._parts(name, self._one(self._topic(name))))

    def _fetch(self, url: str) -> Iterator[bytes]:
        name = url.rpartition("/")[2]
        if not _NAME.fullmatch(name):
            raise DownloadHTTPError(f"{name!r} is no file of a release", _NOT_FOUND)
        if _ROOT.fullmatch(name):
            return self._parts(name, self._next_root(name))
        if name == _TIMESTAMP and self._timestamp:
            first, self._timestamp = self._timestamp, b""
        else:  # now, so that what is missing is an error of ours: see FetcherInterface.fetch
            first = self._one(self._topic(name))
        return self._parts(name, first)

    def _next_root(self, name: str) -> bytes:
        root, timestamp = self._topic(name), self._topic(_TIMESTAMP)
        come: dict[str, bytes] = {}
        self._pass_over()
        begun_s = time.monotonic()
        give_up_s = begun_s + self._patience_s
        self._line.watch([root, timestamp])
        try:
            # Both, even if the root is here: a timestamp that is still on its way would later look
            # like one that came before the root that we ask for then.
            while len(come) < len((root, timestamp)):
                now_s = time.monotonic()
                if now_s >= give_up_s:
                    break
                heard = self._line.hear(give_up_s - now_s)
                self._take(heard, (root, timestamp), come)
                if heard is not None and timestamp in come and root not in come:
                    took_s = time.monotonic() - begun_s  # so much later a root may come, at least
                    give_up_s = min(give_up_s, begun_s + took_s + max(self._grace_s, took_s))
        finally:
            self._leave([root])
        self._timestamp = come.get(timestamp, b"")
        if root in come:
            return come[root]
        if self._timestamp:
            raise DownloadHTTPError(f"no {name}", _NOT_FOUND)
        raise SlowRetrievalError(f"nothing came for {self._patience_s:g} s")

    def _parts(self, name: str, first: bytes) -> Iterator[bytes]:
        count, content = _read(name, first)
        yield content
        for start in range(1, count, _WINDOW):
            window = range(start, min(count, start + _WINDOW))
            for payload in self._each([self._topic(name, number) for number in window]):
                again, content = _read(name, payload)
                if again != count:
                    raise DownloadError(f"the parts of {name} are not of one file")
                yield content

    def _one(self, topic: str) -> bytes:
        (payload,) = self._each([topic])
        return payload

    def _each(self, topics: Sequence[str]) -> Iterator[bytes]:
        """What is retained on each of a few topics, in their order."""
        come: dict[str, bytes] = {}
        self._line.watch(topics)
        try:
            for topic in topics:
                give_up_s = time.monotonic() + self._patience_s
                while topic not in come:
                    heard = self._line.hear(max(0.0, give_up_s - time.monotonic()))
                    self._take(heard, topics, come)
                    if topic not in come and time.monotonic() >= give_up_s:
                        raise SlowRetrievalError(f"nothing came for {self._patience_s:g} s")
                yield come.pop(topic)
        finally:
            self._leave(topics)

    def _pass_over(self) -> None:
        """What came before we asked says nothing of what is there."""
        for _ in range(_MOST_OLD):
            if self._line.hear(0.0) is None:
                return

    def _leave(self, topics: Sequence[str]) -> None:
        """Hear no more of these; the timestamp is listened to for as long as we live."""
        lasting = self._topic(_TIMESTAMP)
        self._line.unwatch([topic for topic in topics if topic != lasting])

    def _take(self, heard: Heard | None, topics: Sequence[str], come: dict[str, bytes]) -> None:
        if heard is not None and heard.payload and heard.topic in topics:
            come[heard.topic] = heard.payload

    def _topic(self, name: str, part: int = 0) -> str:
        return release_metadata(self._fleet, name, part)


def _read(name: str, payload: bytes) -> tuple[int, bytes]:
    try:
        return parts.read_part(payload)
    except ValueError as error:
        raise DownloadLengthMismatchError(f"{name}: {error}") from None
