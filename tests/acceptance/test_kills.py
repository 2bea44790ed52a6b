"""`kill -9` of each program at each step of a question, as far as it can be seen from outside.

file -> outbox row -> on the wire -> claimed -> answered -> reply on the wire -> answer file
"""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.stage import Killable, Stage, heard, listening, staged, until

pytestmark = [pytest.mark.acceptance, pytest.mark.broker]
WITHIN_S = 60.0


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One stage for all kills: what one leaves behind, the next has to bear."""
    with staged(tmp_path_factory.mktemp("stage"), pause_s=0.1) as stage:
        stage.worker.start()
        stage.agent.start()
        yield stage


def rows(file: Path, query: str) -> int:
    """Look into a program's own database while it runs."""
    if not file.exists():
        return 0
    db = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
    try:
        (count,) = db.execute(query).fetchone()
    except sqlite3.OperationalError:  # its tables are not made yet
        return 0
    finally:
        db.close()
    return int(count)


def waiting(stage: Stage) -> int:
    """How many questions the agent has in its outbox."""
    return rows(stage.folder / "agent" / "outbox.db", "SELECT count(*) FROM outbox")


def claimed(stage: Stage) -> int:
    """How many questions the worker works on."""
    query = "SELECT count(*) FROM claims WHERE reply IS NULL"
    return rows(stage.folder / "worker" / "claims.db", query)


def on_the_wire(part: str) -> Callable[[Stage, str], None]:
    """Wait for a message to pass the broker."""

    def wait(stage: Stage, name: str) -> None:
        with listening(stage.broker.port) as events:
            heard(events, "/state", WITHIN_S)  # the listener hears, and the agent is there
            stage.drop(name, f"unsure {name}")
            heard(events, part, WITHIN_S)

    return wait


def when(seen: Callable[[Stage, str], object]) -> Callable[[Stage, str], None]:
    """Wait for something to be seen."""

    def wait(stage: Stage, name: str) -> None:
        stage.drop(name, f"unsure {name}")
        until(lambda: seen(stage, name), WITHIN_S)

    return wait


STEPS = {
    "stored": when(lambda stage, _: waiting(stage)),
    "asked": on_the_wire("/ask/"),
    "claimed": when(lambda stage, _: claimed(stage)),
    "answered": when(lambda stage, name: f"unsure {name}" in stage.work()),
    "replied": on_the_wire("/answer"),
    "delivered": when(lambda stage, name: name in stage.answers()),
}


@pytest.mark.parametrize("victim", ["agent", "worker", "broker"])
@pytest.mark.parametrize("step", STEPS)
def test_a_question_outlives_the_kill(stage: Stage, step: str, victim: str) -> None:
    name = f"{step}-{victim}.txt"
    programs: dict[str, Killable] = {
        "agent": stage.agent,
        "worker": stage.worker,
        "broker": stage.broker,
    }
    program = programs[victim]

    STEPS[step](stage, name)
    program.kill()
    program.start()

    until(lambda: name in stage.answers() and not waiting(stage), WITHIN_S)
    until(lambda: not list(stage.inbox.iterdir()), WITHIN_S)
    answer = stage.answers()[name]
    assert (answer["origin"], answer["answer"]) == ("cloud", f"cloud unsure {name}")
    assert all(given == answer for given in stage.effects()[name])


def test_an_answer_that_no_output_took_outlives_the_kill(stage: Stage) -> None:
    answers = stage.folder / "agent" / "answers"
    answers.rename(answers.with_name("away"))
    answers.write_text("a file where a folder should be", encoding="utf-8")
    stage.drop("blocked.txt", "unsure blocked")
    until(lambda: "blocked.txt" in stage.effects(), WITHIN_S)

    stage.agent.kill()
    answers.unlink()
    answers.with_name("away").rename(answers)
    stage.agent.start()

    until(lambda: "blocked.txt" in stage.answers() and not waiting(stage), WITHIN_S)
    answer = stage.answers()["blocked.txt"]
    assert answer["answer"] == "cloud unsure blocked"
    assert all(given == answer for given in stage.effects()["blocked.txt"])


def test_questions_wait_for_a_pool_that_is_away(stage: Stage) -> None:
    names = [f"away-{number}.txt" for number in range(20)]
    stage.worker.kill()
    for name in names:
        stage.drop(name, f"unsure {name}")
    until(lambda: waiting(stage) == len(names), WITHIN_S)
    stage.agent.kill()
    stage.agent.start()

    stage.worker.start()

    until(lambda: not waiting(stage), WITHIN_S)
    origins = {name: stage.answers()[name]["origin"] for name in names}
    assert origins == dict.fromkeys(names, "cloud")


def test_questions_wait_for_a_broker_that_is_away(stage: Stage) -> None:
    names = [f"dark-{number}.txt" for number in range(20)]
    stage.broker.kill()
    stage.agent.kill()
    stage.agent.start()
    for name in names:
        stage.drop(name, f"unsure {name}")
    until(lambda: waiting(stage) == len(names), WITHIN_S)

    stage.broker.start()

    until(lambda: not waiting(stage), WITHIN_S)
    origins = {name: stage.answers()[name]["origin"] for name in names}
    assert origins == dict.fromkeys(names, "cloud")


def test_a_worker_that_is_told_to_stop_finishes_what_it_has_claimed(stage: Stage) -> None:
    stage.drop("last.txt", "unsure last")
    until(lambda: claimed(stage), WITHIN_S)

    assert stage.worker.stop() == 0

    until(lambda: "last.txt" in stage.answers(), WITHIN_S)
    assert stage.work().count("unsure last") == 1
    stage.worker.start()
