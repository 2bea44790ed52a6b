"""What is asked of the broker, in which order, and what counts as missing."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from tuf.api.exceptions import (
    DownloadError,
    DownloadHTTPError,
    DownloadLengthMismatchError,
    SlowRetrievalError,
)

from agent.update.client import translated
from agent.update.errors import NotHeardError, RefusedError
from agent.update.fetcher import MqttFetcher
from agent.update.line import Heard, LineClosedError
from broker.wire import parts
from broker.wire.topics import FleetId, release_metadata

FLEET = FleetId("home")
NEXT_ROOT, TIMESTAMP = "2.root.json", "timestamp.json"
NOT_FOUND = 404


@dataclass
class ScriptedLine:
    """Brings what it was told to, in that order, whatever is asked; never at once."""

    script: deque[Heard | None]
    closed: bool = False
    watched: list[str] = field(default_factory=list)

    def watch(self, topics: Sequence[str]) -> None:
        self.watched += topics

    def unwatch(self, topics: Sequence[str]) -> None:
        for topic in topics:
            self.watched.remove(topic)

    def hear(self, timeout_s: float) -> Heard | None:
        if self.closed:
            raise LineClosedError
        return self.script.popleft() if self.script and timeout_s else None

    def say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        raise AssertionError(topic, payload, retain)


def heard(name: str, payload: bytes, part: int = 0) -> Heard:
    return Heard(release_metadata(FLEET, name, part), payload)


def fetcher(*script: Heard | None) -> tuple[MqttFetcher, ScriptedLine]:
    """One that waits long for what comes, and not for what was never going to."""
    line = ScriptedLine(deque(script))
    patience_s = 30.0 if script else 0.02
    return MqttFetcher(line, FLEET, patience_s=patience_s, grace_s=0.02), line


def fetch(asked: MqttFetcher, name: str) -> bytes:
    return asked.download_bytes(f"mqtt:/{name}", 5_000_000)


def test_a_root_that_does_not_come_though_the_timestamp_does_is_not_there() -> None:
    asked, _ = fetcher(heard(TIMESTAMP, b"\0now"))

    with pytest.raises(DownloadHTTPError) as caught:
        fetch(asked, NEXT_ROOT)

    assert caught.value.status_code == NOT_FOUND
    assert fetch(asked, TIMESTAMP) == b"now"


def test_a_root_that_comes_a_moment_after_the_timestamp_is_taken() -> None:
    asked, _ = fetcher(heard(TIMESTAMP, b"\0now"), heard(NEXT_ROOT, b"\0root"))

    assert fetch(asked, NEXT_ROOT) == b"root"


def test_a_timestamp_on_its_way_does_not_hide_the_root_after_the_next() -> None:
    two, three, four = (f"{number}.root.json" for number in (2, 3, 4))
    asked, _ = fetcher(
        *(heard(two, b"\0two"), heard(TIMESTAMP, b"\0now")),
        *(None, heard(three, b"\0three"), heard(TIMESTAMP, b"\0now")),
        heard(TIMESTAMP, b"\0now"),
    )

    assert [fetch(asked, name) for name in (two, three)] == [b"two", b"three"]
    with pytest.raises(DownloadHTTPError):
        fetch(asked, four)


def test_silence_does_not_mean_that_there_is_no_root() -> None:
    asked, _ = fetcher()

    with pytest.raises(SlowRetrievalError):
        fetch(asked, NEXT_ROOT)


def test_what_was_not_asked_for_and_what_is_empty_is_passed_over() -> None:
    asked, _ = fetcher(
        None, heard("9.targets.json", b"\0no"), heard(TIMESTAMP, b""), heard(TIMESTAMP, b"\0now")
    )

    assert fetch(asked, TIMESTAMP) == b"now"


def test_parts_are_put_together_in_order_however_they_come() -> None:
    data = bytes(range(256)) * 1200
    pieces = parts.split(data)
    name = "3.targets.json"
    come = [heard(name, pieces[number], number) for number in (0, 2, 1)]
    asked, line = fetcher(*come)

    assert len(pieces) == len(come)
    assert fetch(asked, name) == data
    assert line.watched == []


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        (b"\x01one", b"\x02two", DownloadError),
        (b"\x01one", b"\x01", DownloadLengthMismatchError),
        (b"\xffone", b"", DownloadLengthMismatchError),
        (b"\0", b"", DownloadLengthMismatchError),
        (b"\0" + bytes(parts.PART_BYTES), b"", DownloadLengthMismatchError),
    ],
)
def test_what_is_no_part_of_one_file_is_refused(
    first: bytes, second: bytes, kind: type[Exception]
) -> None:
    asked, _ = fetcher(heard("3.x.json", first), heard("3.x.json", second, 1))

    with pytest.raises(kind):
        fetch(asked, "3.x.json")


@pytest.mark.parametrize("name", ["", "..", "A.json", "a%2Fb.json", "+", "#", "x" * 200])
def test_a_name_that_no_topic_carries_is_not_there(name: str) -> None:
    asked, line = fetcher()

    with pytest.raises(DownloadHTTPError):
        fetch(asked, name)

    assert line.watched == []


def test_everything_but_the_timestamp_is_heard_no_more_afterwards() -> None:
    asked, line = fetcher(heard(TIMESTAMP, b"\0now"))

    with pytest.raises(DownloadHTTPError):
        fetch(asked, NEXT_ROOT)

    assert line.watched == [release_metadata(FLEET, TIMESTAMP)]


def test_an_agent_that_has_gone_is_no_missing_file() -> None:
    asked, line = fetcher()
    line.closed = True

    with pytest.raises(LineClosedError), translated():
        fetch(asked, TIMESTAMP)


def test_errors_of_the_fetcher_are_errors_of_an_update() -> None:
    silent, _ = fetcher()
    long, _ = fetcher(heard(TIMESTAMP, b"\xff1"))

    with pytest.raises(NotHeardError), translated():
        fetch(silent, TIMESTAMP)
    with pytest.raises(RefusedError), translated():
        fetch(long, TIMESTAMP)
