"""A real folder with real files, seen by the kernel's own notices."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, SimpleQueue

import pytest

from agent.core.errors import EmptyInputError, InputError
from agent.shell.events import Arrived, ticket_of
from agent.shell.folder import FolderInput

WITHIN_S = 60.0
LONG_AGO = (1_000_000_000, 1_000_000_000)


class Inbox:
    """A watched folder and the queue that it fills."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.queue: SimpleQueue[Arrived] = SimpleQueue()
        self.input = FolderInput(folder, task="home", sink=self.queue.put)

    def noticed(self) -> Arrived:
        return self.queue.get(timeout=WITHIN_S)

    def quiet(self) -> bool:
        """Whether nothing is noticed for a while."""
        try:
            self.queue.get(timeout=0.3)
        except Empty:
            return True
        return False


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    inbox = Inbox(tmp_path / "inbox")
    inbox.input.start()
    yield inbox
    inbox.input.stop()


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


class TestNotice:
    def test_a_file_is_noticed_when_its_writer_closes_it(self, inbox: Inbox) -> None:
        with (inbox.folder / "q.txt").open("w") as file:
            file.write("lights ")
            file.flush()
            assert inbox.quiet()
            file.write("on")

        arrived = inbox.noticed()
        assert (arrived.task, arrived.source) == ("home", "q.txt")
        assert arrived.read(100) == b"lights on"

    @pytest.mark.parametrize("unfinished", [".q.txt", "q.txt.part", "q.txt.tmp"])
    def test_an_unfinished_file_is_noticed_when_it_gets_its_name(
        self, inbox: Inbox, unfinished: str
    ) -> None:
        begun = inbox.folder / unfinished
        begun.write_text("lights on")
        assert inbox.quiet()

        begun.rename(inbox.folder / "q.txt")

        assert inbox.noticed().read(100) == b"lights on"

    def test_a_file_moved_in_from_another_folder_is_noticed_at_once(
        self, inbox: Inbox, elsewhere: Path
    ) -> None:
        file = elsewhere / "q.txt"
        file.write_text("lights on")

        file.rename(inbox.folder / "q.txt")

        assert inbox.noticed().read(100) == b"lights on"

    def test_what_was_there_before_is_noticed_at_the_start(self, tmp_path: Path) -> None:
        inbox = Inbox(tmp_path / "inbox")
        (inbox.folder / "rejected").mkdir(parents=True)
        for name in ("b.txt", "a.txt", ".hidden"):
            (inbox.folder / name).write_text(name)
            os.utime(inbox.folder / name, LONG_AGO)

        inbox.input.start()
        inbox.input.stop()

        assert [inbox.noticed().source for _ in range(2)] == ["a.txt", "b.txt"]
        assert inbox.queue.empty()

    def test_a_scan_leaves_a_file_alone_that_was_written_a_moment_ago(self, tmp_path: Path) -> None:
        inbox = Inbox(tmp_path / "inbox")
        inbox.folder.mkdir()
        file = inbox.folder / "q.txt"
        file.write_text("lights ")
        inbox.input.scan()
        assert inbox.queue.empty()

        os.utime(file, LONG_AGO)
        inbox.input.scan()

        assert inbox.noticed().source == "q.txt"

    def test_a_file_from_the_future_is_not_left_alone_for_ever(self, tmp_path: Path) -> None:
        inbox = Inbox(tmp_path / "inbox")
        inbox.folder.mkdir()
        file = inbox.folder / "q.txt"
        file.write_text("lights on")
        tomorrow = time.time() + 86_400
        os.utime(file, (tomorrow, tomorrow))  # the clock was wrong, and was set right

        inbox.input.scan()

        assert inbox.noticed().source == "q.txt"

    def test_many_files_at_once_are_all_noticed(self, inbox: Inbox) -> None:
        names = {f"q{number}.txt" for number in range(500)}
        for name in names:
            (inbox.folder / name).write_text(name)

        assert {inbox.noticed().source for _ in names} == names

    def test_what_is_noticed_twice_is_read_once(self, inbox: Inbox) -> None:
        (inbox.folder / "q.txt").write_text("lights on")
        first = inbox.noticed()
        os.utime(inbox.folder / "q.txt", LONG_AGO)
        inbox.input.scan()
        second = inbox.noticed()

        assert second.read(100) == b"lights on"
        second.taken()

        assert first.read(100) is None


class TestTake:
    def test_a_file_has_the_same_ticket_after_a_restart(self, tmp_path: Path) -> None:
        inbox = Inbox(tmp_path / "inbox")
        inbox.folder.mkdir()
        (inbox.folder / "q.txt").write_text("lights on")
        os.utime(inbox.folder / "q.txt", LONG_AGO)
        tickets = set()
        for _ in range(2):
            inbox.input.scan()
            arrived = inbox.noticed()
            tickets.add(ticket_of(arrived, arrived.read(100) or b""))

        assert len(tickets) == 1

    def test_the_same_words_put_in_again_are_another_question(self, inbox: Inbox) -> None:
        tickets = set()
        for _ in range(2):
            (inbox.folder / "q.txt").write_text("lights on")
            os.utime(inbox.folder / "q.txt", LONG_AGO)  # as `cp --preserve` does
            while (data := (arrived := inbox.noticed()).read(100)) is None:
                pass  # its times were changed after it was closed
            tickets.add(ticket_of(arrived, data))
            arrived.taken()

        assert len(tickets) == 2

    def test_a_taken_file_is_removed(self, inbox: Inbox) -> None:
        (inbox.folder / "q.txt").write_text("lights on")
        arrived = inbox.noticed()
        arrived.read(100)

        arrived.taken()
        arrived.taken()

        assert list(inbox.folder.iterdir()) == []

    def test_a_file_that_replaces_the_one_being_answered_is_not_removed_with_it(
        self, inbox: Inbox, elsewhere: Path
    ) -> None:
        (inbox.folder / "q.txt").write_text("lights on")
        first = inbox.noticed()
        assert first.read(100) == b"lights on"
        (elsewhere / "q.txt").write_text("lights off")
        (elsewhere / "q.txt").rename(inbox.folder / "q.txt")

        first.taken()

        second = inbox.noticed()
        assert second.read(100) == b"lights off"

    def test_a_file_that_was_replaced_before_its_turn_is_read_under_its_own_ticket(
        self, inbox: Inbox, elsewhere: Path
    ) -> None:
        (inbox.folder / "q.txt").write_text("lights on")
        first = inbox.noticed()
        (elsewhere / "q.txt").write_text("lights on")
        (elsewhere / "q.txt").rename(inbox.folder / "q.txt")

        assert first.read(100) is None

        second = inbox.noticed()
        assert second.read(100) == b"lights on"
        assert second.identity != first.identity

    def test_no_more_is_read_than_asked_for(self, inbox: Inbox) -> None:
        (inbox.folder / "large.txt").write_bytes(b"x" * 10_000_000)

        data = inbox.noticed().read(1001)

        assert data == b"x" * 1001

    def test_a_file_that_has_vanished_is_nothing(self, inbox: Inbox) -> None:
        (inbox.folder / "q.txt").write_text("lights on")
        arrived = inbox.noticed()

        (inbox.folder / "q.txt").unlink()

        assert arrived.read(100) is None

    def test_a_file_that_cannot_be_read_is_refused_with_the_reason(self, inbox: Inbox) -> None:
        (inbox.folder / "q.txt").write_text("lights on")
        arrived = inbox.noticed()
        (inbox.folder / "q.txt").unlink()
        (inbox.folder / "q.txt").mkdir()  # for root, no mode makes a file unreadable

        with pytest.raises(InputError, match="the file cannot be read: Is a directory"):
            arrived.read(100)

    def test_a_refused_file_is_moved_aside_with_the_reason_beside_it(self, inbox: Inbox) -> None:
        (inbox.folder / "q.txt").write_bytes(b"\x00\x01")
        arrived = inbox.noticed()

        arrived.refused(EmptyInputError("nothing in it"))

        rejected = inbox.folder / "rejected"
        assert sorted(path.name for path in inbox.folder.iterdir()) == ["rejected"]
        assert (rejected / "q.txt").read_bytes() == b"\x00\x01"
        assert (rejected / "q.txt.reason").read_text() == "nothing in it\n"
        assert inbox.quiet()  # what lies there is not asked again
