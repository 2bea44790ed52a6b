"""The engine with its real child process and real, tiny packages."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.models.child_process import PackageRefusedError
from agent.models.engine import Engine
from agent.models.model import ModelError
from broker.wire.payload import PayloadKind
from tests.unit.agent.children import DOMAIN, WINDOW, has_gone, masked, pid_of, running
from tests.unit.package.packages import SHIPPED, brought, copy_of, replace_weights

WITHIN_S = 60.0


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


def test_a_killed_child_costs_no_answer(engine: Engine) -> None:
    question = masked(WINDOW, PayloadKind.WINDOW)
    engine.draft(question, DOMAIN)
    os.kill(pid_of(engine), signal.SIGKILL)

    assert engine.draft(question, DOMAIN).answer == "along x"
    assert engine.starts == 2


def test_a_child_that_is_killed_while_it_works_costs_no_answer(engine: Engine) -> None:
    question = masked(WINDOW, PayloadKind.WINDOW)
    engine.draft(question, DOMAIN)
    os.kill(pid_of(engine), signal.SIGSTOP)
    killer = subprocess.Popen(["/bin/sh", "-c", f"sleep 0.3; kill -9 {pid_of(engine)}"])

    answer = engine.draft(question, DOMAIN).answer

    killer.wait()
    assert (answer, engine.starts) == ("along x", 2)


def test_an_idle_child_gives_its_memory_back(tmp_path: Path) -> None:
    with running(brought(tmp_path), unload_after_s=60.0) as engine:
        engine.draft(masked(WINDOW, PayloadKind.WINDOW), DOMAIN)
        pid = pid_of(engine)
        engine.rest()
        busy = engine.pid
        engine._asked_s -= 60.0

        engine.rest()

        assert (busy, engine.pid) == (pid, None)
        assert has_gone(pid)
        assert engine.draft(masked(WINDOW, PayloadKind.WINDOW), DOMAIN).answer == "along x"


def test_a_child_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    question = masked(WINDOW, PayloadKind.WINDOW)
    with running(brought(tmp_path), timeout_s=2.0) as engine:
        engine.draft(question, DOMAIN)
        pid = pid_of(engine)
        os.kill(pid, signal.SIGSTOP)

        with pytest.raises(ModelError, match=r"did not answer within 2.5 s"):
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
