"""The folder that a fleet's broker runs from."""

import json
import time
from pathlib import Path

import pytest

from broker.fleet import authority, guard, keys, where
from broker.fleet.errors import BrokerMissingError, FleetError, NotAFleetError
from broker.fleet.guard import find_plugin, write_guarded
from broker.fleet.members import members_of
from broker.fleet.settings import Listeners
from broker.fleet.where import Where
from broker.wire.topics import DeviceId, PoolId
from tests.guarded import make_guarded_fleet

LISTENERS = Listeners("0.0.0.0", 8883, 8884)  # noqa: S104 - of a file that nobody starts
PLUGIN = Path("/usr/lib/mosquitto_dynamic_security.so")


def test_all_that_a_broker_needs_is_in_one_folder_that_is_its_owners(tmp_path: Path) -> None:
    fleet = make_guarded_fleet(tmp_path / "fleet").folder

    write_guarded(fleet, tmp_path / "broker", LISTENERS, plugin=PLUGIN)

    modes = {p.name: p.stat().st_mode & 0o777 for p in (tmp_path / "broker").iterdir()}
    names = ("mosquitto.conf", "dynamic-security.json", "ca.pem", "broker.pem", "broker.key")
    assert modes == dict.fromkeys(names, 0o600)
    assert (tmp_path / "broker").stat().st_mode & 0o777 == 0o700


def test_the_settings_name_the_folder_where_it_will_lie(tmp_path: Path) -> None:
    fleet = make_guarded_fleet(tmp_path / "fleet").folder
    at = Path("/mosquitto/config")

    path = write_guarded(fleet, tmp_path / "broker", LISTENERS, plugin=PLUGIN, at=at)

    text = path.read_text()
    assert str(tmp_path) not in text
    assert {
        "plugin /usr/lib/mosquitto_dynamic_security.so",
        "plugin_opt_config_file /mosquitto/config/dynamic-security.json",
        "listener 8883 0.0.0.0",
        "tls_version tlsv1.3",
        "require_certificate true",
        "use_identity_as_username true",
        "use_username_as_clientid true",
        "allow_anonymous false",
        "certfile /mosquitto/config/broker.pem",
        "persistence_location /mosquitto/config/",
    } <= set(text.splitlines())


def test_writing_again_says_the_same_and_knows_who_is_new(tmp_path: Path) -> None:
    fleet = make_guarded_fleet(tmp_path / "fleet").folder
    first = write_guarded(fleet, tmp_path / "broker", LISTENERS, plugin=PLUGIN).read_bytes()
    keys.enroll(fleet, DeviceId("board-4"), PoolId("main"), now_s=time.time())

    second = write_guarded(fleet, tmp_path / "broker", LISTENERS, plugin=PLUGIN).read_bytes()

    rules = json.loads((tmp_path / "broker" / "dynamic-security.json").read_bytes())
    assert first == second
    assert "board-4" in {client["username"] for client in rules["clients"]}
    assert set(rules["defaultACLAccess"].items()) == {
        ("publishClientSend", False),
        ("publishClientReceive", False),
        ("subscribe", False),
        ("unsubscribe", True),
    }


def test_a_folder_without_a_fleet_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotAFleetError):
        write_guarded(tmp_path, tmp_path / "broker", LISTENERS, plugin=PLUGIN)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    fleet = make_guarded_fleet(tmp_path / "fleet").folder
    (tmp_path / "file").write_text("")

    with pytest.raises(FleetError, match="file/broker: Not a directory"):
        write_guarded(fleet, tmp_path / "file" / "broker", LISTENERS, plugin=PLUGIN)


@pytest.mark.parametrize("name", ["ca.pem", "broker.pem", "broker.key"])
def test_a_certificate_that_is_missing_is_named(tmp_path: Path, name: str) -> None:
    fleet = make_guarded_fleet(tmp_path / "fleet").folder
    (fleet / authority.FOLDER / name).unlink()

    with pytest.raises(NotAFleetError, match=name):
        write_guarded(fleet, tmp_path / "broker", LISTENERS, plugin=PLUGIN)


def test_a_workers_certificate_that_is_damaged_is_named(tmp_path: Path) -> None:
    fleet = make_guarded_fleet(tmp_path / "fleet").folder
    (fleet / "workers" / "main" / "tls.pem").write_text("nothing")

    with pytest.raises(NotAFleetError, match=r"workers/main/tls\.pem"):
        members_of(fleet)


def test_a_missing_plugin_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "_FOLDERS", ("/nowhere",))

    with pytest.raises(BrokerMissingError, match="mosquitto_dynamic_security"):
        find_plugin()


def test_where_a_broker_is_is_kept(tmp_path: Path) -> None:
    here = Where(host="broker.example.org", port=8883, join_port=8884)
    before = where.known(tmp_path)

    where.keep(tmp_path, here)

    assert (before, where.known(tmp_path)) == (None, here)


def test_a_damaged_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "broker.json").write_text('{"host": "x"}')

    with pytest.raises(NotAFleetError, match="write the broker again"):
        where.known(tmp_path)
