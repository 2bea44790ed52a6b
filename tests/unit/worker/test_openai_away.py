"""A completer whose server is away, comes back, or lacks the model."""

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event as Flag

import pytest

from cloud_worker.errors import SaturatedError
from tests.model_server import Act, Handler, Scripted, raw, said, scripted_server, send

pytest.importorskip("httpx")

from tests.unit.worker.asking_server import asked, completer, wait_until  # needs httpx


def test_a_server_that_is_missing_is_busy_at_once_and_served_when_it_comes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "cloud_worker")
    with scripted_server() as server:
        pass  # its port is free again
    with completer(server) as made:
        (engine,) = set(made.completers().values())
        assert not engine.ready()
        with pytest.raises(SaturatedError, match="is away"):
            asked(made, within_s=1e6)

        with scripted_server(server, port=server.port):
            wait_until(engine.ready)
            assert asked(made).text == "lamp_on"

    away, again = caplog.messages
    assert f"{server.base_url} is away" in away
    assert "is well again" in again


def test_a_server_that_goes_away_is_noticed_by_the_next_question() -> None:
    with scripted_server() as server, completer(server) as made:
        (engine,) = set(made.completers().values())
        assert engine.ready()
        server.answer = server.models = raw(b"")

        with pytest.raises(SaturatedError):
            asked(made, within_s=1e6)

        assert not engine.ready()


def test_a_server_that_nobody_asks_is_looked_at_and_one_at_work_is_not(server: Scripted) -> None:
    gate, answer = Flag(), send(said())

    def slowly(handler: Handler) -> None:
        gate.wait(60)
        answer(handler)

    server.answer = slowly
    with completer(server, look_s=0.05) as made, ThreadPoolExecutor(1) as pool:
        wait_until(lambda: server.looked >= 3)
        waiting = pool.submit(asked, made)
        wait_until(lambda: server.asked)
        before = server.looked
        time.sleep(0.5)  # ten looks would fit
        during = server.looked - before
        gate.set()
        waiting.result(60)
        wait_until(lambda: server.looked >= before + 3)

    assert during <= 1  # one may have been under way


LISTS = {
    "another model": (send({"data": [{"id": "b"}, {"id": "a"}]}), "has no model large, but a, b"),
    "none": (send({"data": []}), "has no model large, but none at all"),
    "no list": (send(b"hello"), "does not list its models: the model server's list of models"),
    "no key": (send(b"", 401), "does not list its models: the model server refuses: HTTP 401"),
}


@pytest.mark.parametrize(("act", "why"), LISTS.values(), ids=LISTS)
def test_a_server_without_the_model_is_told_and_asked_all_the_same(
    server: Scripted, caplog: pytest.LogCaptureFixture, act: Act, why: str
) -> None:
    server.models = act

    with completer(server) as made:
        answer = asked(made)

    (told,) = caplog.messages
    assert why in told
    assert answer.text == "lamp_on"


def test_a_worker_that_stops_waits_for_nobody(server: Scripted) -> None:
    server.answer = send(b"", 503, {"Retry-After": "19"})

    with ThreadPoolExecutor(1) as pool:
        with completer(server) as made:
            waiting = pool.submit(asked, made)
            wait_until(lambda: server.asked)
            started_s = time.monotonic()
        with pytest.raises(SaturatedError):
            waiting.result(60)

    assert time.monotonic() - started_s < 15.0
