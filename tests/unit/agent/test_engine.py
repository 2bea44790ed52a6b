"""The engine with its real child process and real, tiny packages."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from agent.core.clean import Expectation, clean
from agent.core.find import find
from agent.core.mask import MaskRules, mask
from agent.models.engine import Engine, PackageRefusedError
from agent.models.model import ModelError
from agent.stages import Masked, Raw
from broker.wire.payload import PayloadKind
from tests.unit.package.packages import SHIPPED, brought, copy_of, replace_weights

DOMAIN = "shaker/axis"
WINDOW = b"x,y\n1,0\n1,0\n1,0\n1,0\n"
WITHIN_S = 10.0


def masked(data: bytes, kind: PayloadKind) -> Masked:
    cleaned = clean(Raw("t", "s", data), Expectation(kind, rate_hz=100.0))
    return mask(cleaned, MaskRules(), find).masked


@contextmanager
def running(package: Path, timeout_s: float = 5.0) -> Iterator[Engine]:
    engine = Engine(package, timeout_s=timeout_s)
    with closing(Stopped(engine)):
        yield engine


class Stopped:
    """Ends an engine's child, whatever a test has found."""

    def __init__(self, engine: Engine) -> None:
        self.close = engine.stop


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with running(brought(tmp_path)) as engine:
        yield engine


def pid_of(engine: Engine) -> int:
    assert engine.pid is not None
    return engine.pid


def has_gone(pid: int) -> bool:
    """Whether a process is no more, or only waits to be counted."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_nothing_runs_before_the_first_question(engine: Engine) -> None:
    assert (engine.pid, engine.starts) == (None, 0)


def test_one_child_answers_many_questions(engine: Engine) -> None:
    drafts = [engine.draft(masked(WINDOW, PayloadKind.WINDOW), DOMAIN) for _ in range(3)]

    assert {(draft.answer, draft.model) for draft in drafts} == {("along x", "mine 0.1.0")}
    assert all(0.0 <= draft.score <= 1.0 and draft.elapsed_ms > 0 for draft in drafts)
    assert engine.starts == 1


def test_a_shipped_model_answers_a_masked_text_and_keeps_its_placeholders() -> None:
    text = masked(b"send an email to bob@example.org", PayloadKind.TEXT)
    with running(SHIPPED / "commands-small") as engine:
        draft = engine.draft(text, "home")

        assert draft.answer == "email_sendemail <EMAIL_1>"
        assert engine.calibration("home").chance(draft.score) > 0.5


def test_a_package_that_was_never_measured_is_never_trusted(engine: Engine) -> None:
    assert engine.calibration(DOMAIN).chance(1.0) == 0.0


def test_a_killed_child_costs_one_answer(engine: Engine) -> None:
    question = masked(WINDOW, PayloadKind.WINDOW)
    engine.draft(question, DOMAIN)
    os.kill(pid_of(engine), signal.SIGKILL)

    with pytest.raises(ModelError, match="exit code -9"):
        engine.draft(question, DOMAIN)

    assert engine.draft(question, DOMAIN).answer == "along x"
    assert engine.starts == 2


def test_a_child_that_is_killed_while_it_works_costs_one_answer(engine: Engine) -> None:
    question = masked(WINDOW, PayloadKind.WINDOW)
    engine.draft(question, DOMAIN)
    os.kill(pid_of(engine), signal.SIGSTOP)
    killer = subprocess.Popen(["/bin/sh", "-c", f"sleep 0.3; kill -9 {pid_of(engine)}"])

    with pytest.raises(ModelError, match="the engine child ended"):
        engine.draft(question, DOMAIN)

    killer.wait()
    assert engine.draft(question, DOMAIN).answer == "along x"


def test_a_child_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    question = masked(WINDOW, PayloadKind.WINDOW)
    with running(brought(tmp_path), timeout_s=0.2) as engine:
        engine.draft(question, DOMAIN)
        pid = pid_of(engine)
        os.kill(pid, signal.SIGSTOP)

        with pytest.raises(ModelError, match=r"did not answer within 0.2 s"):
            engine.draft(question, DOMAIN)

        assert has_gone(pid)
        assert engine.draft(question, DOMAIN).answer == "along x"


def test_a_broken_package_is_refused_and_leaves_no_child(tmp_path: Path) -> None:
    package = brought(tmp_path)
    replace_weights(package, b"not a model")
    with running(package) as engine:
        with pytest.raises(PackageRefusedError, match=r"mine.onnx"):
            engine.load()

        assert engine.pid is None


def test_a_truncated_package_is_refused(tmp_path: Path) -> None:
    package = copy_of("snapshot-small", tmp_path)
    weights = package / "model.onnx"
    weights.write_bytes(weights.read_bytes()[:-100])
    with running(package) as engine, pytest.raises(PackageRefusedError):
        engine.load()


def test_an_unknown_domain_is_refused_with_the_known_ones(engine: Engine) -> None:
    with pytest.raises(PackageRefusedError, match=r"mine 0.1.0 knows shaker/axis, not 'home'"):
        engine.calibration("home")


def test_a_question_that_the_package_does_not_take_is_refused_and_the_child_stays(
    engine: Engine,
) -> None:
    with pytest.raises(PackageRefusedError):
        engine.draft(masked(b"lights on", PayloadKind.TEXT), DOMAIN)

    assert engine.draft(masked(WINDOW, PayloadKind.WINDOW), DOMAIN).answer == "along x"
    assert engine.starts == 1


def test_a_stopped_child_gives_its_memory_back_and_another_starts_when_needed(
    engine: Engine,
) -> None:
    engine.load()
    pid = pid_of(engine)

    engine.stop()
    engine.stop()

    assert has_gone(pid)
    assert engine.load().model == "mine 0.1.0"


def test_a_child_that_does_not_end_when_asked_is_ended(engine: Engine) -> None:
    engine._command = [sys.executable, "-c", HELLO + "import time; time.sleep(60)"]
    engine.load()
    pid = pid_of(engine)

    engine.stop()

    assert has_gone(pid)


HELLO = (
    "import sys; from agent.models.pipe import write_frame;"
    "write_frame(sys.stdout.buffer, {'model': 'm', 'payload': 'text', 'heads': {}});"
)
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


def test_the_child_ends_with_a_killed_agent(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from agent.models.engine import Engine;"
        "engine = Engine(Path(sys.argv[1])); engine.load(); print(engine.pid, flush=True);"
        "time.sleep(60)"
    )
    package = str(brought(tmp_path))
    with subprocess.Popen([sys.executable, "-c", code, package], stdout=subprocess.PIPE) as agent:
        assert agent.stdout is not None
        child = int(agent.stdout.readline())
        assert not has_gone(child)

        agent.kill()

    give_up_s = time.monotonic() + WITHIN_S
    while not has_gone(child):
        assert time.monotonic() < give_up_s, "the child outlived its agent"
        time.sleep(0.01)
