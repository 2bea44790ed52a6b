"""The updater, a process of its own, ends as it should while its agent may still speak."""

import subprocess
import sys
from pathlib import Path

from agent.models.pipe import Header, read_frame, write_frame
from agent.update.words import Begin, Over
from broker.wire.topics import FleetId, release_metadata
from broker.wire.vouched import ROOT_FILE
from firstline.bench.fleet import make_fleet

WITHIN_S = 60.0


def test_an_updater_that_has_said_its_last_word_ends_without_an_error(tmp_path: Path) -> None:
    keys = make_fleet(tmp_path / "fleet").device
    begin = Begin(state=str(tmp_path), credentials=str(keys), groups=("all",), packages=())
    root = release_metadata(FleetId("bench"), ROOT_FILE)
    command = [sys.executable, "-m", "agent.update.child"]

    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin and process.stdout and process.stderr  # noqa: PT018 - asked for
        write_frame(process.stdin, {"begin": begin.write().decode()})  # type: ignore[arg-type]
        write_frame(process.stdin, {"heard": root}, b"\0not a root")  # type: ignore[arg-type]
        said: Header = {}
        while "over" not in said:
            said, _ = read_frame(process.stdout)  # type: ignore[arg-type]
        code = process.wait(WITHIN_S)  # its input is open still, and its thread waits there
        told = process.stderr.read().decode()

    assert Over.read(str(said["over"])).refused
    assert (code, "Fatal" in told) == (0, False)
