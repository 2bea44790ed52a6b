from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.models.engine import Engine
from agent.store.outbox import Outbox
from tests.asker import Asker
from tests.unit.agent.bench import Bench, make_bench
from tests.unit.agent.children import running
from tests.unit.agent.device import Clock, Device, Shelf, make_task, opened
from tests.unit.agent.post_office import Post
from tests.unit.package.packages import brought


@pytest.fixture
def device(asker: Asker, tmp_path: Path) -> Iterator[Device]:
    """The enrolled device `board-1`, never sure, asking the `cloud` of the same test."""
    shelf = Shelf()
    folder = tmp_path / "device"
    folder.mkdir()
    task = make_task(shelf)
    with opened(asker.credentials, folder / "outbox.db", Clock(), shelf, task) as device:
        yield device


@pytest.fixture
def bench(device: Device) -> Bench:
    return make_bench(device)


@pytest.fixture
def post(tmp_path: Path) -> Iterator[Post]:
    outbox = Outbox(tmp_path / "outbox.db")
    yield Post(outbox)
    outbox.close()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with running(brought(tmp_path)) as engine:
        yield engine
