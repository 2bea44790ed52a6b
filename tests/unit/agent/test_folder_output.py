"""Answers as files in a real folder."""

import json
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from agent.errors import OutputUnavailableError
from agent.shell.folder import FolderOutput
from agent.stages import Delivery, Origin
from broker.wire.files import write_whole

DELIVERY = Delivery(
    ticket=UUID(int=1),
    task="home",
    source="a.txt",
    answer="lights_on",
    origin=Origin.DEVICE,
    confidence=0.9,
    model="m 1",
    elapsed_ms=1.0,
)


class TestOutput:
    def test_an_answer_is_a_file_with_the_tickets_name(self, tmp_path: Path) -> None:
        FolderOutput(tmp_path / "new" / "answers").deliver(DELIVERY)

        [file] = (tmp_path / "new" / "answers").iterdir()
        assert file.name == f"{UUID(int=1)}.json"
        assert json.loads(file.read_text())["answer"] == "lights_on"

    @pytest.mark.parametrize(("folder", "file"), [(0o770, 0o660), (0o755, 0o640), (0o700, 0o600)])
    def test_the_group_reads_answers_where_it_may_read_their_folder(
        self, tmp_path: Path, folder: int, file: int
    ) -> None:
        tmp_path.chmod(folder)

        FolderOutput(tmp_path).deliver(DELIVERY)

        [answer] = tmp_path.iterdir()
        assert answer.stat().st_mode & 0o777 == file

    def test_a_repeat_and_a_correction_overwrite_the_file(self, tmp_path: Path) -> None:
        output = FolderOutput(tmp_path)
        output.deliver(replace(DELIVERY, final=False))
        output.deliver(DELIVERY)

        [file] = tmp_path.iterdir()
        assert json.loads(file.read_text())["final"] is True

    def test_a_folder_that_cannot_be_written_is_unavailable(self, tmp_path: Path) -> None:
        (tmp_path / "answers").write_text("a file where a folder should be")

        with pytest.raises(OutputUnavailableError, match="answers: File exists"):
            FolderOutput(tmp_path / "answers").deliver(DELIVERY)

    def test_a_write_that_fails_leaves_nothing_behind(self, tmp_path: Path) -> None:
        (tmp_path / "name").mkdir()
        (tmp_path / "name" / "full").touch()

        with pytest.raises(OSError, match=r"Is a directory|not empty"):
            write_whole(tmp_path / "name", b"content")

        assert [path.name for path in tmp_path.iterdir()] == ["name"]
