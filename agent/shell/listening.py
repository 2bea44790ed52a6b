"""The topics of releases that an updater listens to, over the agent's session.

It may be killed at any moment, and can then end nothing: what it listened to ends with it. Else
each reconnect would bring all of it again, to nobody.
"""

from collections.abc import Iterable

from agent.shell.ends import Wire
from broker.wire.topics import parse_release_block, parse_release_metadata


class Listening:
    """What one updater after the other listens to.

    Args:
        link: The session with the fleet's broker.
        always: What the agent itself listens to.
    """

    def __init__(self, link: Wire, always: str) -> None:
        self._link, self._always = link, always
        self._topics: set[str] = set()

    def watch(self, topics: Iterable[object]) -> None:
        """Listen to more.

        Raises:
            ValueError: one is not of a release.
        """
        found = _releases(topics)
        self._topics.update(found)
        self._link.watch(found)

    def unwatch(self, topics: Iterable[object]) -> None:
        """Listen to fewer.

        Raises:
            ValueError: one is not of a release.
        """
        gone = [each for each in _releases(topics) if each != self._always]
        self._topics.difference_update(gone)
        self._link.unwatch(gone)

    def end(self) -> None:
        """The updater is gone."""
        left = sorted(self._topics - {self._always})
        self._topics.clear()
        if left:
            self._link.unwatch(left)


def _releases(topics: Iterable[object]) -> list[str]:
    found = [each for each in topics if isinstance(each, str)]
    if any(not (parse_release_metadata(each) or parse_release_block(each)) for each in found):
        raise ValueError("a topic that is not of a release")
    return found
