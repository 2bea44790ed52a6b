"""`firstline fleet rollout forget`: old releases go, and what a board runs stays."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.fleet.mosquitto import LOOPBACK
from broker.fleet.releases.repository import Repository
from broker.fleet.releases.stock import Stock
from broker.fleet.root import open_root
from broker.wire.roster import Enrolled, Roster
from broker.wire.session import Message
from broker.wire.topics import DeviceId, device_update
from broker.wire.update_report import Progress, UpdateReport, seal_report
from firstline.exits import ExitCode
from firstline.publishing import publish
from tests.integration.test_release_command import NAME, WORDS, Desk, desk, released
from tests.releases import FLEET

pytestmark = pytest.mark.broker
__all__ = ["desk"]  # a fixture

DEVICE = DeviceId("board-1")
OLD, NEW = f"{NAME}/1.0.0/main.json", f"{NAME}/1.1.0/main.json"


def says(desk: Desk, key: Ed25519PrivateKey, count: int, running: str) -> None:
    """Have the board say what it runs."""
    progress = Progress(package=NAME, state="done", group="all", running=running)
    report = UpdateReport(
        fleet=FLEET, device=DEVICE, session=1, count=count, groups=("all",), packages=(progress,)
    )
    message = Message(device_update(FLEET, DEVICE), seal_report(report, key), retain=True)
    publish(LOOPBACK, desk.broker.port, [message])


def test_what_a_board_runs_stays_and_goes_when_it_runs_another(desk: Desk) -> None:
    key = Ed25519PrivateKey.generate()
    devices: dict[str, Enrolled] = {
        DEVICE: Enrolled(keys=(key.public_key().public_bytes_raw().hex(),))
    }
    open_root(desk.fleet, WORDS).write_roster(Roster(fleet=FLEET, version=3, devices=devices))
    old = released(desk, desk.package("1.0.0", "older", more=b"older"))["plans"][OLD]
    new = released(desk, desk.package("1.1.0", "newer", more=b"newer"))["plans"][NEW]
    words = ("rollout", "forget", NAME, "--passphrase-file", desk.folder / "words")

    says(desk, key, 1, old)
    held = desk.type(*words)
    files = stored(desk.fleet)
    says(desk, key, 2, new)
    tried = desk.type(*words, "--dry-run")
    done = desk.type(*words)
    again = desk.type(*words)

    assert (held["forgotten"], held["held"]) == ([], {OLD: ["board-1"]})
    assert (tried["free"], tried["forgotten"]) == ([OLD], [])
    assert (done["forgotten"], again["forgotten"]) == ([OLD], [])
    assert stored(desk.fleet) < files
    assert len(files - stored(desk.fleet)) == done["files"] == 3  # its plan, and two files alone
    assert list(Repository(desk.fleet).vouched(f"{NAME}/")) == [NEW]
    assert not Stock(desk.fleet).has(old)
    assert desk.plan_at_a_board().version == "1.1.0"
    history = desk.type("rollout", "history", plain=False)
    assert [each["what"] for each in history["entries"]][-1] == "forget"
    assert history["altered"] == []


def test_what_is_offered_is_never_forgotten(desk: Desk) -> None:
    released(desk, desk.package())

    told = desk.type("rollout", "forget", "--passphrase-file", desk.folder / "words")

    assert (told["forgotten"], told["held"], told["files"]) == ([], {}, 0)
    assert desk.type("rollout", "forget", plain=False, code=ExitCode.USAGE)["error"]


def stored(fleet: Path) -> set[str]:
    """The files that the operator holds of releases."""
    return {path.name for path in (fleet / "releases" / "files").iterdir() if not path.suffix}
