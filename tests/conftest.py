"""Fixtures that several test folders share: a fleet, a device, a broker, a cloud in memory."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from broker.fleet.mosquitto import RunningBroker, running_broker
from cloud_worker.models import echo
from tests.asker import DOMAIN, Asker, Fleet, make_fleet
from tests.simulator import CloudSimulator, simulated_cloud

# No absolute times: a machine that is shared may take any time for an example.
settings.register_profile(
    "firstline", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("firstline")


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    """A fleet without devices, in a folder of its own."""
    return make_fleet(tmp_path / "fleet")


@pytest.fixture
def asker(fleet: Fleet) -> Asker:
    """An enrolled device, `board-1`."""
    return fleet.enroll("board-1")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[RunningBroker]:
    """A real mosquitto on a free port."""
    with running_broker(tmp_path / "broker") as running:
        yield running


@pytest.fixture
def cloud(fleet: Fleet, asker: Asker, tmp_path: Path) -> Iterator[CloudSimulator]:
    """A worker in memory that knows `asker` and echoes."""
    assert asker.route.fleet  # it is enrolled before the worker's folder is read
    completers = {DOMAIN: echo()}
    with simulated_cloud(fleet.worker_folder, completers, store=tmp_path / "claims.db") as cloud:
        yield cloud
