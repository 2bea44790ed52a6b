"""Brings files onto the board: their lists, then the blocks that lack, each to the disk at once.

    content --lists--> names of blocks --what lacks--> window --block--> its place in the file

What is there already, from before a reboot or from another package, does not come again.
"""

from collections.abc import Callable
from pathlib import Path

from agent.update.blocks import BlockStore
from agent.update.errors import ContentError
from agent.update.part import names_of
from agent.update.window import Window
from broker.wire.release import BLOCK_BYTES, DIGEST_BYTES, LISTED, Content, lists_of

Progress = Callable[[int, int], None]  # bytes that are there, bytes in all


class Download:
    """Brings contents.

    Args:
        window: Brings blocks.
        store: Where they go.
        progress: Told after each block: bytes of this file that are there, and in all.
    """

    def __init__(self, *, window: Window, store: BlockStore, progress: Progress) -> None:
        self._window = window
        self._store = store
        self._progress = progress
        self.counters = window.counters  # bytes_resumed

    def fetch(self, content: Content) -> Path:
        """Bring a file onto the disk, or what lacks of it, and verify it as a whole.

        Raises:
            StoppedError: we were told to; what came stays.
            NoSpaceError: the disk is full.
            ContentError: what is vouched for contradicts itself.
            LineClosedError: there is no agent any more.
            OSError: the disk failed.
        """
        if len(content.lists) != lists_of(content.blocks):
            raise ContentError(f"{content.sha256}: {len(content.lists)} lists")
        if whole := self._store.whole(content):
            return whole
        if not content.lists:
            data = self.block(content.sha256) if content.length else b""
            if len(data) != content.length:
                raise ContentError(f"{content.sha256}: {len(data)} bytes for {content.length}")
            return self._store.put(content, data)
        names = names_of(content, self._lists(content))
        with self._store.part(content, names) as part:
            self.counters["bytes_resumed"] += part.resumed_bytes
            left = part.lacking_bytes

            def take(name: str, data: bytes) -> None:
                nonlocal left
                part.put(name, data)
                left = max(0, left - len(data))
                self._progress(content.length - left, content.length)

            self._window.bring(part.lacking(), take)
            return part.finish()

    def block(self, name: str) -> bytes:
        """Bring one block into memory.

        Raises:
            StoppedError: we were told to.
            LineClosedError: there is no agent any more.
        """
        found: dict[str, bytes] = {}
        self._window.bring(iter((name,)), found.__setitem__)
        return found[name]

    def _lists(self, content: Content) -> list[bytes]:
        # Kept on the disk too: each is a block that must not be brought twice.
        lists: dict[str, bytes] = {}
        lacking = []
        for name in dict.fromkeys(content.lists):
            kept = self._store.whole(Content(length=_list_length(content, name), sha256=name))
            if kept is None:
                lacking.append(name)
            else:
                lists[name] = kept.read_bytes()

        def take(name: str, data: bytes) -> None:
            self._store.put(Content(length=len(data), sha256=name), data)
            lists[name] = data

        self._window.bring(iter(lacking), take)
        return [lists[name] for name in content.lists]


def _list_length(content: Content, name: str) -> int:
    if name != content.lists[-1]:
        return BLOCK_BYTES
    return (content.blocks - 1) % LISTED * DIGEST_BYTES + DIGEST_BYTES
