"""What an updater listened to ends with it, however it ends."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from agent.shell.listening import Listening
from broker.wire.link import Message
from broker.wire.topics import FleetId, release_block, release_metadata

FLEET = FleetId("home")
ALWAYS = release_metadata(FLEET, "timestamp.json")
BLOCKS = [release_block(FLEET, f"{number:064x}") for number in range(3)]


@dataclass
class Topics:
    """A session's dynamic subscriptions."""

    heard: set[str] = field(default_factory=lambda: {ALWAYS})

    def publish(self, message: Message) -> int:
        raise NotImplementedError(message.topic)

    def watch(self, topics: Sequence[str]) -> None:
        self.heard.update(topics)

    def unwatch(self, topics: Sequence[str]) -> None:
        self.heard.difference_update(topics)


def test_what_a_killed_updater_listened_to_is_heard_no_more() -> None:
    topics = Topics()
    listening = Listening(topics, ALWAYS)
    listening.watch([ALWAYS, *BLOCKS])
    listening.unwatch(BLOCKS[:1])

    listening.end()

    assert topics.heard == {ALWAYS}


def test_an_updater_cannot_end_what_the_agent_itself_hears() -> None:
    topics = Topics()
    listening = Listening(topics, ALWAYS)

    listening.unwatch([ALWAYS])

    assert topics.heard == {ALWAYS}


def test_an_updater_hears_releases_alone() -> None:
    with pytest.raises(ValueError, match="not of a release"):
        Listening(Topics(), ALWAYS).watch(["fl/v1/home/dev/board-1/answer"])
