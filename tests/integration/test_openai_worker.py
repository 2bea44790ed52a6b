"""A device's questions, answered by a worker that asks a model server; all of it real."""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.stages import Origin
from broker.fleet.mosquitto import RunningBroker
from broker.wire.messages import Answer, Busy, Question
from cloud_worker.completions import Prompt
from cloud_worker.errors import SaturatedError
from cloud_worker.limits import Limits
from cloud_worker.models import Engine, echo
from tests.asker import Asker, Fleet
from tests.integration.running import running_agent, running_worker
from tests.integration.worker_pages import pages_of
from tests.model_server import Scripted, raw, scripted_server, send
from tests.site import Setup, Site
from tests.unit.package.gguf_files import CHAT, write_model

pytest.importorskip("httpx")

from tests.integration.model_servers import MODEL, asking, llama_server, serving  # needs httpx

pytestmark = pytest.mark.broker
QUICK = Limits(queue=1, retry_after_s=0.2, drain_s=1.0)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    write_model(tmp_path / "tiny.gguf", chat=CHAT)
    with serving(llama_server, tmp_path / "tiny.gguf", tmp_path / "log") as base_url:
        yield base_url


def test_a_question_goes_to_a_model_server_and_its_answer_comes_back(
    fleet: Fleet, asker: Asker, broker: RunningBroker, server: str, tmp_path: Path
) -> None:
    claims = tmp_path / "claims.db"
    with asking(server) as made:
        (engine,) = made.completers().values()
        with (
            running_worker(fleet, claims, broker.port, completer=engine),
            running_agent(asker, tmp_path / "a", broker.port) as agent,
        ):
            agent.ask()
            answer = agent.answer()

    assert (answer.origin, answer.model) == (Origin.CLOUD, MODEL)
    assert answer.answer
    assert 0.0 < answer.confidence < 1.0


def test_more_questions_than_a_worker_takes_are_turned_away_and_all_answered_in_the_end(
    fleet: Fleet, asker: Asker, broker: RunningBroker, server: str, tmp_path: Path
) -> None:
    claims, long = tmp_path / "claims.db", Prompt(model=MODEL, max_tokens=150)
    with asking(server, prompt=long, concurrency=1) as made:
        (engine,) = made.completers().values()
        with (
            running_worker(fleet, claims, broker.port, completer=engine, limits=QUICK) as service,
            running_agent(asker, tmp_path / "a", broker.port) as agent,
        ):
            for number in range(8):
                agent.ask(f"question {number}", str(number))
            answers = [agent.answer() for _ in range(8)]
            assert agent.silent()

    assert Counter(answer.origin for answer in answers) == {Origin.CLOUD: 8}
    assert len({answer.ticket for answer in answers}) == 8
    assert service.counters["busy"] > 0
    assert service.counters["answered"] == 8


def test_a_model_server_that_is_full_delays_answers_and_loses_none(
    fleet: Fleet, asker: Asker, broker: RunningBroker, tmp_path: Path
) -> None:
    script = Scripted(models=send({"data": [{"id": MODEL}]}), first=[send(b"", 429)] * 3)
    with (
        scripted_server(script),
        asking(script.base_url, concurrency=4, timeout_s=0.12) as made,  # less than the first pause
    ):
        (engine,) = made.completers().values()
        with (
            running_worker(
                fleet, tmp_path / "claims.db", broker.port, completer=engine, limits=QUICK
            ) as service,
            running_agent(asker, tmp_path / "a", broker.port) as agent,
        ):
            for number in range(4):
                agent.ask(f"question {number}", str(number))
            answers = [agent.answer() for _ in range(4)]

    assert [(answer.origin, answer.answer) for answer in answers] == [(Origin.CLOUD, "lamp_on")] * 4
    assert service.counters["saturated"] >= 3


def test_busy_is_never_kept_as_the_answer(site: Site) -> None:
    turned_away: list[Question] = []

    def second_time(question: Question, deadline_s: float) -> Answer:
        if not turned_away:
            turned_away.append(question)
            raise SaturatedError("HTTP 429", retry_after_s=3.0)
        return echo().complete(question, deadline_s)

    asked = site.asker.ask()
    with site.worker(Setup(Engine("echo 1", second_time))) as service:
        first = site.line.answered(asked)
        stored = rows(site.claims)
        second = site.line.answered(asked)

    assert isinstance(first, Busy)
    assert 3.0 <= first.retry_after_s <= 4.5
    assert stored == 0
    assert second == Answer("hello <NAME_1>", "echo 1", 1.0)
    assert service.counters == {"saturated": 1, "answered": 1}


def test_ready_turns_red_when_the_model_server_is_down_though_nobody_asks(site: Site) -> None:
    there = send({"data": [{"id": MODEL}]})
    script = Scripted(models=there)
    with scripted_server(script), asking(script.base_url, look_s=0.2) as made:
        (engine,) = made.completers().values()
        with site.worker(Setup(engine)) as service, pages_of(service) as pages:
            pages.wait("/readyz", set())
            script.models = raw(b"")  # it hangs up
            pages.wait("/readyz", {"models"})
            script.models = there
            pages.wait("/readyz", set())


def rows(claims: Path) -> int:
    """How many claims there are."""
    with sqlite3.connect(claims) as database:
        count: int = database.execute("SELECT count(*) FROM claims").fetchone()[0]
    database.close()
    return count
