"""A device on a real broker."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.fleet.mosquitto import RunningBroker
from tests.asker import Asker, Fleet
from tests.site import Site, line_of


@pytest.fixture
def claims(tmp_path: Path) -> Path:
    return tmp_path / "claims.db"


@pytest.fixture
def site(fleet: Fleet, asker: Asker, broker: RunningBroker, claims: Path) -> Iterator[Site]:
    with line_of(asker, broker) as line:
        yield Site(fleet, asker, broker, line, claims)
