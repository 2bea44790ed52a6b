"""One broker and two connections for all cases; a fleet, a repository and a client for each."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from broker.fleet.mosquitto import running_broker
from broker.wire.topics import FleetId
from tests.integration.conformance.repository import Reader, Repository
from tests.line import NotedLine, noted_line
from tests.releases import address_of
from tests.retained import Publisher, Retained, publishing

_NUMBERS = count()


@dataclass(frozen=True, slots=True)
class Wires:
    """Who is connected."""

    line: NotedLine
    publisher: Publisher


@pytest.fixture(scope="package")
def wires(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wires]:
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("broker")
        broker = stack.enter_context(running_broker(folder))
        line = stack.enter_context(noted_line(address_of(broker, "board-1")))
        publisher = stack.enter_context(publishing(address_of(broker, "operator")))
        yield Wires(line, publisher)


@pytest.fixture
def repository(wires: Wires) -> Repository:
    wires.line.asked.clear()
    return Repository(Retained(wires.publisher, FleetId(f"case-{next(_NUMBERS)}")))


@pytest.fixture
def reader(tmp_path: Path, wires: Wires, repository: Repository) -> Reader:
    return Reader(tmp_path, wires.line, repository, repository.files["1.root.json"])
