"""`firstline fleet rotate` and `publish`, as an operator gives them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from broker.fleet import where
from broker.fleet.guard import guarded_broker
from broker.fleet.handing import read_bundle
from broker.fleet.mosquitto import RunningBroker
from broker.fleet.where import Where
from broker.wire.session import Received
from broker.wire.topics import PoolId, pool_keys
from firstline import cli
from firstline.exits import ExitCode
from tests.guarded import DEVICES, FLEET, POOL, GuardedFleet, linked, make_guarded_fleet, member

DAY_S = 86_400


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A fleet with one pool, `cloud`."""
    made = cli.main(["fleet", "init", str(tmp_path / "fleet"), "--no-passphrase"])
    assert made == ExitCode.OK
    return tmp_path / "fleet"


def rotate(folder: Path, *words: str) -> int:
    return cli.main(["fleet", "rotate", "--dir", str(folder), *words])


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    (pool,) = json.loads(capsys.readouterr().out)["pools"]
    assert isinstance(pool, dict)
    return pool


def test_a_new_fleet_has_keys_for_a_month(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()

    assert rotate(folder, "--json") == ExitCode.OK

    made = told(capsys)
    assert {name: made[name] for name in ("pool", "version", "added", "epochs")} == {
        "pool": "cloud",
        "version": 1,
        "added": 0,
        "epochs": 30,
    }


def test_every_key_is_given_up_after_a_theft(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stolen = read_bundle(folder, PoolId("cloud")).names()
    capsys.readouterr()

    assert rotate(folder, "--now") == ExitCode.OK

    assert read_bundle(folder, PoolId("cloud")).names().keys().isdisjoint(stolen)
    first, copy, following = capsys.readouterr().out.splitlines()
    assert first.startswith("Pool 'cloud': 30 new epochs, 30 in all, until 20")
    assert copy == f"Copy to worker: {folder}/workers/cloud"
    assert following == f"Then:           firstline fleet publish --dir {folder}"


def test_a_shorter_epoch_is_chosen_and_remembered(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wish = ("--now", "--epoch-s", "3600", "--grace-s", "60", "--days", "1.5", "--json")
    assert rotate(folder, *wish) == ExitCode.OK
    capsys.readouterr()

    assert rotate(folder, "--now", "--pool", "cloud", "--json") == ExitCode.OK

    bundle = read_bundle(folder, PoolId("cloud"))
    assert told(capsys)["epochs"] == 36
    assert bundle.keys[0].not_after_s - bundle.keys[0].not_before_s == 3600
    assert bundle.grace_s == 60


REFUSED = {
    "too many epochs": (("--days", "41"), ExitCode.USAGE, "choose fewer --days"),
    "an epoch of no time": (("--epoch-s", "0"), ExitCode.USAGE, "--epoch-s"),
    "no such pool": (("--pool", "ghost"), ExitCode.FAILURE, "has no pool 'ghost'; it has: cloud"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_wish_that_cannot_be_had_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    words, code, message = REFUSED[name]
    before = read_bundle(folder, PoolId("cloud"))

    assert rotate(folder, *words) == code

    assert message in capsys.readouterr().err
    assert read_bundle(folder, PoolId("cloud")) == before


def test_the_list_tells_until_when_there_are_keys(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()

    assert cli.main(["fleet", "list", "--dir", str(folder)]) == ExitCode.OK

    pool = capsys.readouterr().out.splitlines()[1]
    assert pool.startswith("The pool 'cloud', version 1 of its keys, has some until 20")


def test_a_broker_that_is_away_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["fleet", "publish", "--dir", str(folder), "--port", "1"]

    assert cli.main(words) == ExitCode.BROKER

    assert "127.0.0.1:1: the broker cannot be reached" in capsys.readouterr().err


@dataclass(frozen=True)
class Running:
    fleet: GuardedFleet
    broker: RunningBroker


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    fleet = make_guarded_fleet(tmp_path / "fleet")
    with guarded_broker(fleet.folder, tmp_path / "broker") as broker:
        where.keep(fleet.folder, Where(broker.host, broker.port, broker.join_port))
        yield Running(fleet, broker)


@pytest.mark.broker
def test_what_is_published_waits_for_every_device(
    running: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet, broker = running.fleet, running.broker

    code = cli.main(["fleet", "publish", "--dir", str(fleet.folder), "--json"])

    assert code == ExitCode.OK
    assert json.loads(capsys.readouterr().out)["pools"][POOL] == 1
    with linked(member(fleet, broker, DEVICES[0]), (pool_keys(FLEET, POOL),)) as link:
        link.wait(lambda: bool(link.heard()))
        (event,) = (event for event in link.happened if isinstance(event, Received))
    assert event.payload == (fleet.folder / "pools" / POOL / "bundle.json").read_bytes()
