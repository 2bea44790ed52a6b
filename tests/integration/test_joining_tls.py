"""A board joins at a fleet's own broker, whose certificate it cannot check yet."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from broker.fleet import pools, where
from broker.fleet.authority import write_client
from broker.fleet.errors import RulesRefusedError
from broker.fleet.guard import guarded_broker
from broker.fleet.mosquitto import RunningBroker
from broker.fleet.root import open_root
from broker.fleet.where import Where
from broker.wire.credentials import load_device
from broker.wire.session import FAILURE, Address, Online
from broker.wire.tls import TlsFiles
from broker.wire.topics import FleetId, PoolId, Route, WorkerId, device_state, worker_presence
from firstline import cli
from firstline.exits import ExitCode
from firstline.joining.door import Door
from tests.asker import FLEET, POOL, Fleet
from tests.guarded import linked
from tests.integration.joining import (
    BOARD,
    PATIENCE_S,
    enrolling_at_own_broker,
    line,
    to_copy,
)
from tests.integration.middle import middle

pytestmark = pytest.mark.broker


@dataclass(frozen=True, slots=True)
class Guarded:
    """A fleet whose broker runs."""

    fleet: Fleet
    broker: RunningBroker


@pytest.fixture
def guarded(fleet: Fleet, tmp_path: Path) -> Iterator[Guarded]:
    with guarded_broker(fleet.folder, tmp_path / "broker") as broker:
        where.keep(fleet.folder, Where(broker.host, broker.port, broker.join_port))
        yield Guarded(fleet, broker)


def join(code: object, port: int, keys: Path, *words: str) -> int:
    there = ("--broker", f"localhost:{port}", "--keys", str(keys))
    return cli.main(["join", str(code), *there, "--json", *words])


def test_a_board_that_joined_may_ask_at_once(
    guarded: Guarded, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broker, keys = guarded.broker, tmp_path / "keys"
    # With the code it learns of a pool: a broker with a memory_limit then shuts everybody out.
    with enrolling_at_own_broker(guarded.fleet) as process:
        told = line(process)
        assert str(told["next"]).endswith(f"--broker 127.0.0.1:{broker.join_port}")
        assert join(told["code"], broker.join_port, keys) == ExitCode.OK
        assert line(process) == {
            "device": BOARD,
            "joined": True,
            "refused": {},
            **to_copy(guarded.fleet),
        }
        assert process.wait(PATIENCE_S) == ExitCode.OK

    device = load_device(keys)
    assert json.loads(capsys.readouterr().out)["broker_port"] == broker.port
    address = Address(
        host="localhost", port=broker.port, client_id=device.device, tls=TlsFiles.of(keys)
    )
    with linked(address) as link:
        assert isinstance(link.happened[0], Online)
        ask = Route(device.fleet, device.pool, device.device).ask
        assert link.publish(ask) < FAILURE
        assert link.publish(Route(FleetId("home"), PoolId("main"), device.device).answer) >= FAILURE
        state = device_state(device.fleet, device.device)
        assert link.publish(state, b'{"online": true}', retain=True) < FAILURE
        words = ["fleet", "list", "--dir", str(guarded.fleet.folder), "--online", "--json"]
        assert cli.main(words) == ExitCode.OK
    (listed,) = json.loads(capsys.readouterr().out)["devices"]
    assert (listed["device"], listed["online"]) == (BOARD, True)


def test_a_code_that_the_broker_does_not_know_is_told_at_once(
    guarded: Guarded, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = "4F7K-9QXM-2B0T-HWZ9"

    assert join(code, guarded.broker.join_port, tmp_path / "keys") == ExitCode.KEYS

    assert "the broker does not know this code" in capsys.readouterr().out


def test_an_operator_whom_the_broker_takes_for_somebody_else_is_told(
    guarded: Guarded, tmp_path: Path
) -> None:
    root = open_root(guarded.fleet.folder)
    write_client(root.authority(), tmp_path, "stranger", now_s=time.time())
    broker = guarded.broker
    stranger = Address(
        host=broker.host, port=broker.port, client_id="stranger", tls=TlsFiles.of(tmp_path)
    )

    with (
        pytest.raises(RulesRefusedError, match="not authorized"),
        Door(root, stranger, told=lambda _: None) as door,
    ):
        door.attend(for_s=PATIENCE_S)


def test_a_man_in_the_middle_reads_neither_keys_nor_names_and_the_board_has_the_true_fleet(
    guarded: Guarded, tmp_path: Path
) -> None:
    keys = tmp_path / "keys"
    with (
        middle(tmp_path / "evil", guarded.broker.join_port, bytes) as between,
        enrolling_at_own_broker(guarded.fleet) as process,
    ):
        code = line(process)["code"]
        assert join(code, between.port, keys) == ExitCode.OK

    seen = b"".join(between.seen)
    device = load_device(keys)
    hidden = {
        BOARD.encode(),
        str(code).replace("-", "").encode(),
        device.signing_key.public_key().public_bytes_raw().hex().encode(),
        device.signing_key.private_bytes_raw().hex().encode(),
        b"CERTIFICATE",
    }
    assert len(seen) > 2000
    assert not {each for each in hidden if each in seen}
    assert (keys / "root.pub").read_bytes() == (guarded.fleet.folder / "root.pub").read_bytes()
    assert (keys / "tls-ca.pem").read_bytes() == (
        guarded.fleet.folder / "tls" / "ca.pem"
    ).read_bytes()


def flip_last(data: bytes) -> bytes:
    """Alter long packets: the request and the answer, not what MQTT needs."""
    return data[:-1] + bytes([data[-1] ^ 1]) if len(data) > 400 else data


def test_a_man_in_the_middle_who_alters_anything_keeps_the_board_out_and_no_more(
    guarded: Guarded, tmp_path: Path
) -> None:
    keys = tmp_path / "keys"
    with enrolling_at_own_broker(guarded.fleet) as process:
        code = line(process)["code"]
        with middle(tmp_path / "evil", guarded.broker.join_port, flip_last) as between:
            assert join(code, between.port, keys, "--wait-s", "6") == ExitCode.TIMEOUT
        assert not keys.exists()
        assert join(code, guarded.broker.join_port, keys) == ExitCode.OK

        refused = line(process)["refused"]

    assert isinstance(refused, dict)
    assert refused["unreadable"] >= 1
    assert load_device(keys).device == BOARD


def test_two_workers_of_a_pool_are_at_the_broker_together(guarded: Guarded) -> None:
    folder, broker = guarded.fleet.folder, guarded.broker
    pools.add(folder, POOL, now_s=time.time())
    words = ["fleet", "worker", "2", "--pool", POOL, "--dir", str(folder)]
    assert cli.main(words) == ExitCode.OK  # the broker learns of both

    def address(name: str) -> Address:
        files = TlsFiles.of(folder / "workers" / name)
        return Address(host=broker.host, port=broker.port, client_id=name, tls=files)

    with linked(address("main")) as first, linked(address("main.2")) as second:
        for link, name in ((first, "1"), (second, "2")):
            assert link.publish(worker_presence(FLEET, POOL, WorkerId(name))) < FAILURE
            assert (link.online(), link.offline()) == (1, [])
