"""A worker's pages over real HTTP, as those who watch it see them."""

import http.client
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from broker.pages import PageServer
from cloud_worker.service import WorkerService
from cloud_worker.status import Status

PATIENCE_S = 60.0
Checks = dict[str, str]


@dataclass(frozen=True)
class Pages:
    """Where they are."""

    address: str  # http://HOST:PORT

    def get(self, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(self.address.removeprefix("http://"), timeout=60)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def failed(self, path: str) -> set[str]:
        """The checks that do not pass."""
        status, body = self.get(path)
        checks: Checks = json.loads(body)["checks"]
        bad = {name for name, state in checks.items() if state != "ok"}
        assert status == (503 if bad else 200)
        return bad

    def wait(self, path: str, failed: set[str]) -> None:
        """Until exactly these checks do not pass."""
        until(lambda: self.failed(path) == failed)

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels."""
        lines = self.get("/metrics")[1].decode().splitlines()
        values = [
            line.rpartition(" ")[2] for line in lines if line.startswith((f"{name} ", name + "{"))
        ]
        return sum(map(float, values))


@contextmanager
def pages_of(
    service: WorkerService, *, hang_s: float = 30.0, now_s: Callable[[], float] = time.time
) -> Iterator[Pages]:
    """Serve the pages of a worker that runs on a thread."""
    status = Status(lambda: service.vitals, hang_s=hang_s, now_s=now_s)
    with PageServer("127.0.0.1", 0, status.pages()) as server:
        yield Pages(server.address)


def until(happens: Callable[[], bool]) -> None:
    give_up_s = time.monotonic() + PATIENCE_S
    while not happens():
        assert time.monotonic() < give_up_s, "it did not happen"
        time.sleep(0.05)
