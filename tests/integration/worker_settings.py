"""`firstline worker run`, a process of its own that asks a model server, with pages."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.asker import DOMAIN, Fleet
from tests.integration.running import free_port
from tests.integration.worker_pages import Pages, until
from tests.model_server import MODEL

_SETTINGS = """\
[worker]
credentials = "{keys}"
queue = 200
retry_after_s = 0.5
drain_s = {drain_s}

[broker]
port = {broker}

[http]
port = {http}

[[engines]]
kind = "openai"
base_url = "{server}"
model = "{model}"
domains = ["{domain}"]
concurrency = {concurrency}
"""


@dataclass(frozen=True)
class Running:
    """The process and its pages."""

    process: "subprocess.Popen[str]"  # its log on standard error, an object on each line
    pages: Pages


@contextmanager
def worker_run(  # noqa: PLR0913 - what differs, by name
    fleet: Fleet, broker: int, server: str, folder: Path, *, drain_s: float, concurrency: int
) -> Iterator[Running]:
    """A worker that is ready."""
    port = free_port()
    settings = _SETTINGS.format(
        keys=fleet.worker_folder,
        drain_s=drain_s,
        broker=broker,
        http=port,
        server=server,
        model=MODEL,
        domain=DOMAIN,
        concurrency=concurrency,
    )
    path = folder / "worker.toml"
    path.write_text(settings, encoding="utf-8")
    words = ["worker", "run", "--settings", str(path), "--log-json"]
    command = [sys.executable, "-m", "firstline", *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            pages = Pages(f"http://127.0.0.1:{port}")
            until(lambda: _listening(pages))
            pages.wait("/readyz", set())
            yield Running(process, pages)
        finally:
            process.kill()


def _listening(pages: Pages) -> bool:
    try:
        pages.get("/healthz")
    except ConnectionRefusedError:
        return False
    return True
