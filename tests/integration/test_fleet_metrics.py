"""`firstline fleet metrics`, at a broker with access rules and in the clear."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("prometheus_client")

from broker.fleet import where
from broker.fleet.guard import guarded_broker
from broker.fleet.where import Where
from broker.wire import topics
from firstline import cli
from firstline.exits import ExitCode
from tests.guarded import DEVICES, FLEET, linked, make_guarded_fleet, member
from tests.integration.running import free_port
from tests.integration.worker_pages import PATIENCE_S, Pages, until

pytestmark = pytest.mark.broker
STATE = topics.device_state(FLEET, DEVICES[0])
TOLD = {"online": True, "version": "0.1.0", "counters": {"asked": 7}}


@contextmanager
def watching(*words: str) -> Iterator[tuple[Pages, "subprocess.Popen[str]"]]:
    """A running `fleet metrics`, and its pages."""
    command = [sys.executable, "-m", "firstline", "fleet", "metrics", "--json", "--log-json"]
    listen = ["--listen", "127.0.0.1:0"]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [*command, *listen, *words], stdout=pipe, stderr=pipe, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield Pages(json.loads(process.stdout.readline())["url"]), process
        finally:
            process.kill()


def test_a_fleets_devices_are_told_with_keys_that_can_do_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet = make_guarded_fleet(tmp_path / "fleet")
    folder = str(fleet.folder)
    with guarded_broker(fleet.folder, tmp_path / "broker") as broker:
        where.keep(fleet.folder, Where(broker.host, broker.port, broker.join_port))
        assert cli.main(["fleet", "exporter", "--dir", folder]) == ExitCode.OK
        assert "The broker knows: nothing to change." in capsys.readouterr().out
        board = member(fleet, broker, DEVICES[0])
        with linked(board) as link, watching("--dir", folder) as (pages, process):
            link.publish(STATE, json.dumps(TOLD).encode(), retain=True)
            until(lambda: pages.metric("firstline_device_events_total") == 7)
            assert cli.main(["fleet", "status", "--dir", folder]) == ExitCode.OK
            link.publish(STATE, json.dumps(TOLD | {"counters": {"asked": 9}}).encode(), retain=True)
            until(lambda: pages.metric("firstline_device_events_total") == 9)
            ready = pages.failed("/readyz")
            process.send_signal(signal.SIGTERM)
            _, log = process.communicate(timeout=PATIENCE_S)

    events = [json.loads(line).get("event") for line in log.splitlines()]
    assert (process.returncode, ready) == (0, set())
    assert events == ["online"]  # the operator's commands never took its connection


def test_a_broker_that_is_away_turns_it_red_and_all_else_stays() -> None:
    with watching("--port", str(free_port())) as (pages, _):
        pages.wait("/readyz", {"broker"})

        assert pages.failed("/healthz") == set()
        assert pages.metric("firstline_fleet_broker_up") == 0


def test_an_exporter_without_keys_is_told_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where.keep(tmp_path, Where("127.0.0.1", 1, 2))

    assert cli.main(["fleet", "metrics", "--dir", str(tmp_path)]) == ExitCode.KEYS

    assert "'firstline fleet exporter' makes it" in capsys.readouterr().err


@pytest.mark.parametrize("listen", ["9465", "127.0.0.1:", ":1", "127.0.0.1:65536", "a:b"])
def test_an_address_that_is_none_is_told(listen: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["fleet", "metrics", "--port", "1", "--listen", listen]

    assert cli.main(words) == ExitCode.USAGE

    assert "it looks like 127.0.0.1:9465" in capsys.readouterr().err
