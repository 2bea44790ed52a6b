"""Boards join at a broker where others forge, replay, guess and come with the same code."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from queue import SimpleQueue
from threading import Thread

import pytest

from broker.fleet.admission import Outcome
from broker.fleet.invitations import invite
from broker.fleet.mosquitto import RunningBroker
from broker.fleet.root import Root, open_root
from broker.wire import topics
from broker.wire.errors import JoinRefusedError
from broker.wire.join_code import JoinCode
from broker.wire.joining import Welcome
from broker.wire.session import Event, Message, Online, Session
from broker.wire.topics import DeviceId
from firstline.bench.tcp_proxy import TcpProxy
from firstline.exits import ExitCode
from firstline.joining.board import Asker
from tests.asker import FLEET, POOL, Fleet
from tests.integration.joining import (
    BOARD,
    PATIENCE_S,
    address,
    attended,
    board_of,
    line,
    listening,
    next_message,
    operator,
)
from tests.joiner import make_joiner

pytestmark = pytest.mark.broker


@pytest.fixture
def root(fleet: Fleet) -> Root:
    return open_root(fleet.folder)


def test_forged_and_replayed_answers_are_counted_and_the_true_one_is_taken(
    root: Root, broker: RunningBroker
) -> None:
    neighbour = make_joiner(invite(root, DeviceId("board-8"), POOL, now_s=time.time())[0].opened())
    board = make_joiner(invite(root, BOARD, POOL, now_s=time.time())[0].opened())
    asker, welcomes = board_of(board), SimpleQueue[Welcome]()
    with listening(broker) as (session, heard):
        with attended(root, broker):
            board_of(neighbour).ask(address(broker, "neighbour"), wait_s=PATIENCE_S)
        replayed = [next_message(heard).payload for _ in range(2)]
        forged = (*replayed, b"", bytes(100_000), os.urandom(50))

        thread = Thread(
            target=lambda: welcomes.put(asker.ask(address(broker, "board"), wait_s=PATIENCE_S))
        )
        thread.start()
        assert next_message(heard).payload == board.wire
        for payload in forged:
            session.publish(Message(topics.join_answer(FLEET, board.secret.id), payload))
        while asker.refused["answers"] < len(forged):
            time.sleep(0.01)
        with attended(root, broker):
            thread.join()

    assert welcomes.get_nowait().device == BOARD


def test_strangers_who_ask_are_counted_and_the_board_is_let_in(
    root: Root, broker: RunningBroker
) -> None:
    made, _ = invite(root, BOARD, POOL, now_s=time.time())
    guessed = JoinCode.new().secret(FLEET)
    with attended(root, broker) as door, listening(broker) as (session, _):
        for name in (made.opened().id, guessed.id, "ff" * 16):
            topic = topics.join_request(FLEET, name)
            session.publish(Message(topic, make_joiner(guessed).wire))
            session.publish(Message(topic, bytes(200_000)))
        welcome = board_of(make_joiner(made.opened())).ask(
            address(broker, "board"), wait_s=PATIENCE_S
        )

    assert welcome.device == BOARD
    assert door.seen[Outcome.ADMITTED] == 1
    assert door.seen[Outcome.UNREADABLE] == 2
    assert door.seen[Outcome.UNKNOWN] == 4


def test_of_two_boards_at_once_one_is_let_in_and_the_other_is_told(
    root: Root, broker: RunningBroker
) -> None:
    made, _ = invite(root, BOARD, POOL, now_s=time.time())
    ends: SimpleQueue[str] = SimpleQueue()

    def ask(number: int) -> None:
        try:
            asker = board_of(make_joiner(made.opened()))
            ends.put(asker.ask(address(broker, f"b{number}"), wait_s=PATIENCE_S).device)
        except JoinRefusedError as error:
            ends.put(str(error))

    with attended(root, broker):
        boards = [Thread(target=ask, args=(number,)) for number in range(2)]
        for board in boards:
            board.start()
        for board in boards:
            board.join()

    assert sorted([ends.get(), ends.get()]) == [BOARD, "used"]


def test_a_board_that_asks_and_never_hears_is_told_to_the_operator(
    fleet: Fleet, broker: RunningBroker
) -> None:
    words = ("enroll", BOARD, "--pool", POOL, "--expires-s", "5")
    with (
        connected(broker, "deaf") as session,
        operator(fleet, broker, *words) as process,
    ):
        joiner = make_joiner(JoinCode.parse(str(line(process)["code"])).secret(FLEET))
        session.publish(Message(topics.join_request(FLEET, joiner.secret.id), joiner.wire))

        error = line(process)["error"]
        assert process.wait(PATIENCE_S) == ExitCode.TIMEOUT

    assert isinstance(error, dict)
    assert "its board did not hear so" in error["message"]
    assert open_root(fleet.folder).roster().devices.keys() == {BOARD}


def test_a_board_tries_again_at_a_broker_that_hangs_up(root: Root, broker: RunningBroker) -> None:
    """As one does that is starting, or has too much to do: the code may still be good."""
    secret, told = invite(root, BOARD, POOL, now_s=time.time())[0].opened(), list[str]()
    joiner = make_joiner(secret)
    with attended(root, broker), TcpProxy((broker.host, broker.port)) as link:

        def note(state: str) -> None:
            told.append(state)
            link.restore()

        link.shut()
        asker = Asker(fleet=FLEET, secret=secret, request=joiner.wire, told=note)
        there = replace(address(broker, "board"), port=link.port)
        welcome = asker.ask(there, wait_s=PATIENCE_S)

    assert welcome.device == BOARD
    assert "hung up" in told[0]


@contextmanager
def connected(broker: RunningBroker, name: str) -> Iterator[Session]:
    """Somebody at the broker who hears nothing."""
    events: SimpleQueue[Event] = SimpleQueue()
    with Session(address(broker, name), subscriptions=(), sink=events.put) as session:
        assert isinstance(events.get(timeout=PATIENCE_S), Online)
        yield session
