"""A thousand questions while the engine child is killed over and over."""

import os
import random
import signal
import threading
import time

from agent.models.engine import Engine
from broker.wire.payload import PayloadKind
from tests.unit.agent.children import masked
from tests.unit.package.packages import SHIPPED

QUESTIONS, KILLS = 1000, 20
LONGEST_S = 0.05  # from an answer to the next kill: between two questions, or in the middle of one


def test_every_question_is_answered_by_the_model_though_its_child_is_killed_20_times() -> None:
    engine = Engine(SHIPPED / "commands-small", timeout_s=30.0)
    texts = ("turn on the lights", "what time is it", "play some jazz", "wake me at seven")
    questions = [masked(text.encode(), PayloadKind.TEXT) for text in texts]
    expected = [engine.draft(question, "home").answer for question in questions]
    killer = Killer(engine)

    killer.start()
    answers: list[str] = []
    while len(answers) < QUESTIONS or killer.is_alive():
        answers.append(engine.draft(questions[len(answers) % len(questions)], "home").answer)
        killer.answered.set()

    engine.stop()
    assert killer.kills == KILLS
    assert answers == [expected[n % len(expected)] for n in range(len(answers))]
    assert len(answers) >= QUESTIONS


class Killer(threading.Thread):
    """Kills whichever child there is."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(daemon=True)
        self._engine, self._chance, self.kills = engine, random.Random(5), 0  # noqa: S311
        self.answered = threading.Event()  # since the last kill: nobody is killed twice in a row

    def run(self) -> None:
        while self.kills < KILLS:
            self.answered.clear()
            self.answered.wait()
            time.sleep(self._chance.uniform(0.0, LONGEST_S))
            starts, pid = self._engine.starts, self._engine.pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            self.kills += 1
            while self._engine.starts == starts:  # what it had said already is still heard
                time.sleep(0.001)
