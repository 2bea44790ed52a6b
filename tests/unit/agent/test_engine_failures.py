"""Children that die, lie or do not end."""

import os
import signal
import sys

import pytest

from agent.models.engine import Engine
from agent.models.model import ModelError
from broker.wire.payload import PayloadKind
from tests.unit.agent.children import DOMAIN, WINDOW, has_gone, masked, pid_of

HELLO = (
    "import sys; from agent.models.pipe import write_frame;"
    "write_frame(sys.stdout.buffer, {'model': 'm', 'payload': 'text', 'heads': {}});"
)
DIES = "import sys; sys.exit(9)"
LIARS = {
    "says nothing and ends": "",
    "says something else": "print('hello, this is no frame at all')",
    "says half a frame": "import sys; sys.stdout.write(chr(0) * 7)",
}


@pytest.mark.parametrize("code", LIARS.values(), ids=LIARS)
def test_a_child_that_makes_no_sense_is_a_model_that_fails(engine: Engine, code: str) -> None:
    engine._command = [sys.executable, "-c", code]

    with pytest.raises(ModelError):
        engine.load()

    assert engine.pid is None


def test_children_that_die_one_after_the_other_are_left_alone_for_a_while(engine: Engine) -> None:
    question = masked(WINDOW, PayloadKind.WINDOW)
    good, engine._command = engine._command, [sys.executable, "-c", DIES]
    with pytest.raises(ModelError, match="the engine child ended"):
        engine.draft(question, DOMAIN)
    starts = engine.starts

    with pytest.raises(ModelError, match="failed 2 times in a row; it may start again in"):
        engine.draft(question, DOMAIN)

    assert (starts, engine.starts) == (2, 2)
    engine._command, engine._not_before_s = good, 0.0  # the pause is over
    assert engine.draft(question, DOMAIN).answer == "along x"
    os.kill(pid_of(engine), signal.SIGKILL)
    assert engine.draft(question, DOMAIN).answer == "along x"  # an answer ends the row


def test_a_child_that_does_not_end_when_asked_is_ended(engine: Engine) -> None:
    engine._command = [sys.executable, "-c", HELLO + "import time; time.sleep(60)"]
    engine.load()
    pid = pid_of(engine)

    engine.stop()

    assert has_gone(pid)
