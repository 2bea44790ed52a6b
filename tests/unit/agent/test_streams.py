"""Standard input and output, as files and as real pipes."""

import io
import json
import os
from queue import SimpleQueue
from uuid import UUID

import pytest

from agent.core.errors import EmptyInputError
from agent.errors import OutputUnavailableError
from agent.shell.events import Arrived, Exhausted
from agent.shell.streams import StreamInput, StreamOutput
from agent.stages import Delivery, Origin

DELIVERY = Delivery(
    ticket=UUID(int=1),
    task="home",
    source="line 1",
    answer="lights_on",
    origin=Origin.DEVICE,
    confidence=0.9,
    model="m 1",
    elapsed_ms=1.0,
)


def read_all(data: bytes) -> list[Arrived | Exhausted]:
    queue: SimpleQueue[Arrived | Exhausted] = SimpleQueue()
    source = StreamInput(io.BytesIO(data), task="home", sink=queue.put)
    source.start()
    source.scan()
    events = [queue.get(timeout=60)]
    while not isinstance(events[-1], Exhausted):
        events.append(queue.get(timeout=60))
    source.stop()
    return events


def test_each_line_is_a_question_and_blank_ones_are_none() -> None:
    *lines, end = read_all(b"lights on\r\n\n  \t\nlights off")

    questions = [(e.source, e.read(100)) for e in lines if isinstance(e, Arrived)]
    assert questions == [("line 1", b"lights on"), ("line 4", b"lights off")]
    assert end == Exhausted("standard input")


def test_no_more_of_a_line_is_read_than_asked_for() -> None:
    event, _ = read_all(b"x" * 1000)

    assert isinstance(event, Arrived)
    assert event.read(10) == b"x" * 10


def test_the_same_line_of_another_run_is_another_question() -> None:
    first, second = read_all(b"again")[0], read_all(b"again")[0]

    assert isinstance(first, Arrived)
    assert isinstance(second, Arrived)
    assert first.identity != second.identity


def test_a_refused_line_is_told_with_its_number(capsys: pytest.CaptureFixture[str]) -> None:
    event, _ = read_all(b"?")
    assert isinstance(event, Arrived)

    event.refused(EmptyInputError("nothing in it"))
    event.taken()

    assert capsys.readouterr().err == "line 1: nothing in it\n"


def test_an_answer_is_a_line_that_is_written_at_once() -> None:
    read_end, write_end = os.pipe()
    with os.fdopen(read_end) as reader, os.fdopen(write_end, "w") as writer:
        StreamOutput(writer).deliver(DELIVERY)

        line = reader.readline()

    assert json.loads(line)["answer"] == "lights_on"


def test_an_output_that_nobody_reads_any_more_is_unavailable() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    writer = os.fdopen(write_end, "w")

    with pytest.raises(OutputUnavailableError, match="standard output: Broken pipe"):
        StreamOutput(writer).deliver(DELIVERY)

    with pytest.raises(BrokenPipeError):  # it still holds the line
        writer.close()
