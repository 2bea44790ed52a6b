"""Puts a worker's pages on the network: /healthz, /readyz and /metrics, where the settings say."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from importlib.metadata import version
from typing import TYPE_CHECKING

from broker.pages import Page, PageServer
from cloud_worker.service import WorkerService
from cloud_worker.status import Status
from firstline.settings.worker import HttpSection

if TYPE_CHECKING:
    from cloud_worker.metrics import WorkerMetrics

_log = logging.getLogger(__name__)


def worker_metrics(http: HttpSection) -> "WorkerMetrics | None":
    """What counts for /metrics; None where there are no pages."""
    if http.port is None:
        return None
    # Here, since it takes 0.05 s and 1 MB, and a worker without pages needs none of it.
    from cloud_worker.metrics import WorkerMetrics  # noqa: PLC0415

    return WorkerMetrics(version("firstline"))


@contextmanager
def worker_pages(
    http: HttpSection, service: WorkerService, metrics: "WorkerMetrics"
) -> Iterator[PageServer]:
    """Serve a worker's pages.

    Raises:
        PagesUnavailableError: the address is in use, or not of this machine.
    """
    from cloud_worker.metrics import KIND  # noqa: PLC0415 - as above

    status = Status(lambda: service.vitals, hang_s=http.hang_s)
    metrics.watch(lambda: service.vitals, status.checks)
    pages = {
        **status.pages(),
        "/metrics": lambda: Page(HTTPStatus.OK, KIND, metrics.page()),
    }
    with PageServer(http.host, http.port or 0, pages) as server:
        _log.info("pages at %s", server.address, extra={"event": "pages", "url": server.address})
        yield server
