"""`firstline fleet serve` at a broker with TLS and access rules, under a name of its own."""

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent.update.blocks import BlockStore
from agent.update.download import Download
from agent.update.window import Patience, Window
from broker.fleet import where
from broker.fleet.guard import guarded_broker
from broker.fleet.mosquitto import RunningBroker
from broker.fleet.releases.publish import Releases
from broker.fleet.root import open_root
from broker.wire.release import BLOCK_BYTES
from firstline.bench.update_line import session_line
from firstline.cli import main
from firstline.exits import ExitCode
from firstline.shipped import MODELS
from tests.blocks import some_bytes
from tests.guarded import DEVICES, FLEET, GuardedFleet, make_guarded_fleet, member
from tests.integration.test_release_blocks import release

pytestmark = pytest.mark.broker


@pytest.fixture
def fleet(tmp_path: Path) -> GuardedFleet:
    return make_guarded_fleet(tmp_path / "fleet")


@pytest.fixture
def broker(tmp_path: Path, fleet: GuardedFleet) -> Iterator[RunningBroker]:
    with guarded_broker(fleet.folder, tmp_path / "broker") as broker:
        place = where.Where(host=broker.host, port=broker.port, join_port=broker.join_port)
        where.keep(fleet.folder, place)
        yield broker


@contextmanager
def serving(fleet: GuardedFleet, *options: str) -> Iterator["subprocess.Popen[str]"]:
    words = ["fleet", "serve", "--dir", str(fleet.folder), "--json", *options]
    command = [sys.executable, "-m", "firstline", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_device_gets_what_is_retained_and_what_is_served(
    tmp_path: Path, fleet: GuardedFleet, broker: RunningBroker
) -> None:
    weights = some_bytes(12 * BLOCK_BYTES)
    made = release(Releases(fleet.folder, FLEET), tmp_path, weights, open_root(fleet.folder))
    (content,) = (each.content for each in made.files if each.name == "model.onnx")

    with serving(fleet, "--retain-mb", "1") as process:
        assert process.stdout is not None
        filled = json.loads(process.stdout.readline())["filled"]
        address = member(fleet, broker, DEVICES[0])
        with session_line(address) as line:
            window = Window(
                line=line,
                fleet=FLEET,
                device=DEVICES[0],
                stop=lambda _heard: False,
                patience=Patience(want_s=2.0, again_s=60.0),
            )
            store = BlockStore(tmp_path / "board")
            download = Download(window=window, store=store, progress=lambda _done, _all: None)
            path = download.fetch(content)
        process.send_signal(signal.SIGTERM)
        told = json.loads(process.stdout.readline())
        code = process.wait(60.0)
    with serving(fleet) as process:  # whoever fills the broker next knows what was said
        assert process.stdout is not None
        again = json.loads(process.stdout.readline())["filled"]

    assert path.read_bytes() == weights
    assert (filled["retained"], filled["on_request"]) == (2, 13)
    assert (again["retained"], again["published"], again["withdrawn"]) == (2, 0, 0)
    assert told["counters"]["blocks_served"] == 13
    assert code == 0


def test_two_do_not_serve_one_fleet(
    tmp_path: Path, fleet: GuardedFleet, broker: RunningBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    assert broker.pid
    release(Releases(fleet.folder, FLEET), tmp_path, b"weights", open_root(fleet.folder))
    with serving(fleet) as process:
        assert process.stdout is not None
        process.stdout.readline()

        code = main(["fleet", "serve", "--dir", str(fleet.folder)])

    assert code == ExitCode.FAILURE
    assert "already" in capsys.readouterr().err


def test_a_fleet_without_a_broker_or_releases_is_told(
    fleet: GuardedFleet, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["fleet", "serve", "--dir", str(fleet.folder)]) == ExitCode.USAGE
    assert "nothing is known of a broker" in capsys.readouterr().err


def test_a_release_is_waited_for_under_the_servers_name(
    tmp_path: Path, fleet: GuardedFleet, broker: RunningBroker, capsys: pytest.CaptureFixture[str]
) -> None:
    assert broker.pid
    package = shutil.copytree(MODELS / "snapshot-small", tmp_path / "package")
    words = ["fleet", "release", str(package), "--percent", "0", "--wait", "--json"]

    code = main([*words, "--dir", str(fleet.folder)])

    told = json.loads(capsys.readouterr().out)
    assert code == ExitCode.OK
    assert (told["finished"], told["counts"]["later"]) == (True, len(DEVICES))
    assert (fleet.folder / "serving" / "tls.pem").exists()
    for verb in ("status", "pause"):  # the operator's own name
        assert main(["fleet", "rollout", verb, "--dir", str(fleet.folder)]) == ExitCode.OK
