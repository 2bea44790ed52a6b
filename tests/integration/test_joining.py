"""Boards join over a real broker: with the operator, after it, in vain, and killed."""

import json
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from broker.fleet.invitations import invite
from broker.fleet.mosquitto import RunningBroker, running_broker
from broker.fleet.root import Root, open_root
from broker.wire.credentials import load_device
from broker.wire.errors import BrokerUnavailableError
from broker.wire.join_code import JoinCode
from broker.wire.session import Address, Received
from firstline import cli
from firstline.exits import ExitCode
from tests.asker import FLEET, POOL, Fleet
from tests.integration.joining import (
    BOARD,
    PATIENCE_S,
    address,
    attended,
    board_of,
    enrolling,
    line,
    listening,
    operator,
    place,
    to_copy,
)
from tests.joiner import make_joiner

CODE = "4F7K-9QXM-2B0T-HWZ9"
pytestmark = pytest.mark.broker


@pytest.fixture
def root(fleet: Fleet) -> Root:
    return open_root(fleet.folder)


def join(broker: RunningBroker, code: object, keys: Path, *words: str) -> int:
    there = ("--broker", place(broker), "--plain", "--keys", str(keys))
    return cli.main(["join", str(code), *there, *words])


def test_a_board_joins_by_a_code_and_nothing_of_it_is_seen_at_the_broker(
    fleet: Fleet, broker: RunningBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with listening(broker) as (_, heard), enrolling(fleet, broker) as process:
        told = line(process)
        assert join(broker, told["code"], tmp_path / "keys", "--json") == ExitCode.OK
        assert line(process) == {"device": BOARD, "joined": True, "refused": {}, **to_copy(fleet)}
        assert process.wait(PATIENCE_S) == ExitCode.OK
        seen = [heard.get(timeout=PATIENCE_S) for _ in range(2)]

    device = load_device(tmp_path / "keys")
    key = device.signing_key.public_key().public_bytes_raw().hex()
    assert json.loads(capsys.readouterr().out)["device"] == device.device == BOARD
    assert open_root(fleet.folder).roster().devices[BOARD].keys == (key,)
    messages = b"".join(each.payload for each in seen if isinstance(each, Received))
    assert len(messages) > 2000
    for hidden in (BOARD, key, str(told["code"]).replace("-", ""), "CERTIFICATE"):
        assert hidden.encode() not in messages
        assert not any(hidden in each.topic for each in seen if isinstance(each, Received))


def test_an_operator_who_leaves_lets_the_board_in_later(
    fleet: Fleet, broker: RunningBroker, tmp_path: Path
) -> None:
    with enrolling(fleet, broker) as process:
        code = line(process)["code"]
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == ExitCode.INTERRUPTED

    with operator(fleet, broker, "admit") as process:
        assert join(broker, code, tmp_path / "keys") == ExitCode.OK
        assert line(process) == {"joined": [BOARD], "refused": {}, **to_copy(fleet)}
        assert process.wait(PATIENCE_S) == ExitCode.OK

    assert load_device(tmp_path / "keys").device == BOARD


def test_nobody_waits_for_a_code_that_nobody_has(
    fleet: Fleet, broker: RunningBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--dir", str(fleet.folder), "--plain", place(broker)]

    assert cli.main(["fleet", "admit", *words]) == ExitCode.OK

    assert capsys.readouterr().out == "Nobody has joined.\n"


def test_a_second_door_is_not_opened(
    root: Root, fleet: Fleet, broker: RunningBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--dir", str(fleet.folder), "--plain", place(broker)]

    with attended(root, broker):
        assert cli.main(["fleet", "enroll", BOARD, *words]) == ExitCode.FAILURE

    assert "another 'firstline fleet enroll' or 'admit'" in capsys.readouterr().err
    assert not (fleet.folder / "invitations").exists()


def test_a_code_that_nobody_uses_ends(
    fleet: Fleet, broker: RunningBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--dir", str(fleet.folder), "--plain", place(broker), "--expires-s", "1"]

    assert cli.main(["fleet", "enroll", BOARD, *words]) == ExitCode.TIMEOUT

    assert "no board used the code of board-7" in capsys.readouterr().err


def test_no_code_is_made_where_no_broker_is(
    fleet: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--dir", str(fleet.folder), "--plain", "127.0.0.1:1"]

    assert cli.main(["fleet", "enroll", BOARD, *words]) == ExitCode.BROKER

    assert capsys.readouterr().out == ""
    assert not (fleet.folder / "invitations").exists()


REFUSED = {
    "a code that somebody used": (ExitCode.KEYS, "somebody else has it"),
    "a code that has ended": (ExitCode.KEYS, "this code has expired"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_board_is_told_why_it_is_not_let_in(
    root: Root,
    broker: RunningBroker,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
) -> None:
    code_of, message = REFUSED[name]
    life_s = -1.0 if "ended" in name else 60.0
    made, code = invite(root, BOARD, POOL, now_s=time.time(), life_s=life_s)
    with attended(root, broker):
        if life_s > 0:
            board_of(make_joiner(made.opened())).ask(address(broker, "thief"), wait_s=PATIENCE_S)

        assert join(broker, code.shown(), tmp_path / "keys") == code_of

    assert message in capsys.readouterr().err
    assert not (tmp_path / "keys").exists()


IN_VAIN = {
    "no code": (["--broker", "localhost"], "no code: it is the first argument"),
    "a mistyped code": (["4F7K-9QXM-2B0T-HWZS", "--broker", "localhost"], "mistyped"),
    "no port": ([CODE, "--broker", "localhost:x"], "the broker is HOST:PORT"),
    "no host": ([CODE, "--broker", ":1883"], "the broker is HOST:PORT"),
    "no fleet": ([CODE, "--broker", "[::1]", "--fleet", "A B"], "'A B' is no fleet's name"),
}


@pytest.mark.parametrize("name", IN_VAIN)
def test_a_command_line_that_cannot_join_is_refused_at_once(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    words, message = IN_VAIN[name]

    assert cli.main(["join", *words]) == ExitCode.USAGE

    assert message in capsys.readouterr().err


def test_a_board_that_has_other_keys_keeps_them(
    broker: RunningBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "identity.key").write_text("00")

    assert join(broker, CODE, tmp_path / "keys") == ExitCode.KEYS

    assert "is there already: this board has keys" in capsys.readouterr().err
    assert [path.name for path in tmp_path.rglob("*.key")] == ["identity.key"]


def test_an_operator_goes_on_when_the_broker_comes_back(root: Root, tmp_path: Path) -> None:
    secret = invite(root, BOARD, POOL, now_s=time.time())[0].opened()
    told: list[str] = []
    with ExitStack() as before, ExitStack() as operator:
        first = before.enter_context(running_broker(tmp_path / "broker"))
        operator.enter_context(attended(root, first, told.append))
        before.close()
        with running_broker(tmp_path / "broker", port=first.port) as second:
            asker = board_of(make_joiner(secret))
            assert asker.ask(address(second, "board"), wait_s=PATIENCE_S).device == BOARD

    assert "trying again" in told[0]


def test_a_board_that_nobody_answers_gives_up(
    broker: RunningBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert join(broker, CODE, tmp_path / "keys", "--wait-s", "4") == ExitCode.TIMEOUT

    assert "no operator answered. Is the code right" in capsys.readouterr().err


def test_a_board_that_finds_no_broker_says_so(tmp_path: Path) -> None:
    asker = board_of(make_joiner(JoinCode.new().secret(FLEET)))
    nowhere = Address(host="127.0.0.1", port=1, client_id="board")

    with pytest.raises(BrokerUnavailableError, match="cannot be reached"):
        asker.ask(nowhere, wait_s=0.5)

    assert not list(tmp_path.iterdir())


def test_a_board_that_is_killed_while_it_joins_joins_with_the_next_try(
    root: Root, broker: RunningBroker, tmp_path: Path
) -> None:
    _, code = invite(root, BOARD, POOL, now_s=time.time())
    words = ("--broker", place(broker), "--plain", "--keys", str(tmp_path / "keys"))
    command = [sys.executable, "-m", "firstline", "join", code.shown(), *words]
    with attended(root, broker):
        for delay_s in (0.5, 0.7, 0.9):
            with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
                time.sleep(delay_s)
                process.kill()
            if (tmp_path / "keys").exists():
                load_device(tmp_path / "keys")  # whole, or not there

        assert join(broker, code.shown(), tmp_path / "keys") == ExitCode.OK

    device = load_device(tmp_path / "keys")
    key = device.signing_key.public_key().public_bytes_raw().hex()
    assert root.roster().devices[BOARD].keys == (key,)
    assert root.roster().version == 2
