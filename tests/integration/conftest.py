"""A device on a real broker."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.fleet.mosquitto import RunningBroker
from firstline.bench.fleet import FleetKeys, make_fleet
from firstline.bench.swap_board import SwapBoard, swap_board
from tests.asker import Asker, Fleet
from tests.integration.running import free_port
from tests.site import Site, line_of


@pytest.fixture
def claims(tmp_path: Path) -> Path:
    return tmp_path / "claims.db"


@pytest.fixture
def site(fleet: Fleet, asker: Asker, broker: RunningBroker, claims: Path) -> Iterator[Site]:
    with line_of(asker, broker) as line:
        yield Site(fleet, asker, broker, line, claims)


@pytest.fixture(scope="session")
def bench_keys(tmp_path_factory: pytest.TempPathFactory) -> FleetKeys:
    return make_fleet(tmp_path_factory.mktemp("fleet") / "fleet")


@pytest.fixture
def board(tmp_path: Path, bench_keys: FleetKeys) -> Iterator[SwapBoard]:
    """An agent with a real engine, to which packages are offered; nobody else is there."""
    with swap_board(tmp_path / "board", bench_keys.device, free_port()) as board:
        yield board
