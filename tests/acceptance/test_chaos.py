"""500 questions while the broker, the worker and the agent are killed at random."""

import json
import random
import time
from itertools import islice
from pathlib import Path

import pytest

from tests.acceptance.run_worker import CONCURRENCY
from tests.acceptance.stage import Answer, Killable, Stage, staged

QUESTIONS = 500
KILLS = 50
BOUND_S = 90.0
ASKED = [number for number in range(QUESTIONS) if number % 5]
SEED = 2

pytestmark = [pytest.mark.acceptance, pytest.mark.broker]


def question(number: int) -> str:
    """Each fifth is answered by the device itself; each holds personal data of its own."""
    start = "sure" if number % 5 == 0 else "unsure"
    return f"{start} question q{number:03} of user{number}@example.org"


def expected(number: int) -> tuple[str, str]:
    """Origin and answer."""
    origin, start = ("device", "local") if number % 5 == 0 else ("cloud", "cloud")
    return origin, f"{start} {question(number)}"


def meaning(answer: Answer) -> str:
    """An answer but for its time, which a local one that is given again measures anew."""
    return json.dumps({name: value for name, value in answer.items() if name != "elapsed_ms"})


def torment(stage: Stage, give_up_s: float) -> None:
    """Drop questions in bursts, and kill one process after the other while they are under way."""
    dice = random.Random(SEED)  # noqa: S311 - a seeded test, not a secret
    processes: list[Killable] = [stage.broker, stage.worker, stage.agent]
    numbers = iter(range(QUESTIONS))
    for _ in range(KILLS):
        for number in islice(numbers, -(-QUESTIONS // KILLS)):
            stage.drop(f"q{number:03}.txt", question(number))
        time.sleep(dice.uniform(0.0, 0.08))
        victim = dice.choice(processes)
        victim.kill()
        time.sleep(dice.uniform(0.0, 0.2))
        victim.start()
        time.sleep(dice.uniform(0.0, 0.9))  # a program needs half a second to be up again
        assert time.monotonic() < give_up_s
    assert next(numbers, None) is None


@pytest.mark.timeout(BOUND_S + 30)
def test_500_questions_survive_random_kills_and_none_is_answered_twice(tmp_path: Path) -> None:
    give_up_s = time.monotonic() + BOUND_S
    with staged(tmp_path, pause_s=0.005) as stage:
        stage.worker.start()
        stage.agent.start()

        torment(stage, give_up_s)
        while len(stage.answers()) < QUESTIONS or any(stage.inbox.iterdir()):
            assert time.monotonic() < give_up_s, f"{len(stage.answers())} of {QUESTIONS}"
            time.sleep(0.1)
        assert stage.agent.stop() == 0
        answers, effects = stage.answers(), stage.effects()

    got = {name: (answer["origin"], answer["answer"]) for name, answer in answers.items()}
    assert got == {f"q{number:03}.txt": expected(number) for number in range(QUESTIONS)}
    assert all(answer["final"] and not answer["flags"] for answer in answers.values())
    for name, given in effects.items():
        assert {meaning(answer) for answer in given} == {meaning(answers[name])}
        if answers[name]["origin"] == "cloud":
            assert all(answer == answers[name] for answer in given)
    # A worker that is killed at work does it again; nobody else does.
    asked = {question(number).replace(f"user{number}@example.org", "<EMAIL_1>") for number in ASKED}
    assert set(stage.work()) == asked
    assert len(stage.work()) <= len(asked) + stage.worker.kills * CONCURRENCY
