"""Builds a worker from its settings.

    worker.toml -> WorkerSettings -> credentials, claims, models -> WorkerService

Each engine is loaded once for each question that is answered at the same time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from broker.wire.credentials import load_worker
from cloud_worker.devices import Devices
from cloud_worker.limits import Limits
from cloud_worker.models import Completer
from cloud_worker.onnx import OnnxCompleter
from cloud_worker.service import WorkerService, worker_address
from cloud_worker.store import ClaimStore
from cloud_worker.worker import Worker
from firstline.settings.problems import Problem, SettingsError
from firstline.settings.source import read
from firstline.settings.worker import WorkerSettings
from firstline.shipped import package_folder

CLAIMS = "claims.db"


@contextmanager
def worker_process(path: Path) -> Iterator[WorkerService]:
    """The worker of a settings file; run it.

    Raises:
        SettingsError: the settings cannot be used.
        KeyFileError: the pool's keys cannot be used.
        WorkerError: a model or the claims cannot be used.
    """
    settings, base = read(path, WorkerSettings), path.resolve().parent
    keys, state = base / settings.worker.credentials, base / settings.worker.state
    credentials = load_worker(keys)
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    limits = Limits(
        concurrency=settings.worker.concurrency,
        queue=settings.worker.queue,
        retry_after_s=settings.worker.retry_after_s,
        drain_s=settings.worker.drain_s,
    )
    with ClaimStore(state / CLAIMS) as store:
        worker = Worker(
            credentials=credentials,
            devices=Devices(keys),
            completers=_completers(settings, path),
            store=store,
            limits=limits,
        )
        address = worker_address(settings.broker.host, settings.broker.port, limits)
        yield WorkerService(worker=worker, address=address)


def _completers(settings: WorkerSettings, path: Path) -> dict[str, Completer]:
    completers: dict[str, Completer] = {}
    for engine in settings.engines:
        folder = package_folder(engine.package, path.resolve().parent)
        loaded = OnnxCompleter(
            folder, threads=engine.threads, copies=settings.worker.concurrency
        ).completers()
        twice = sorted(completers.keys() & loaded.keys())
        if twice:
            message = f"two packages answer for {', '.join(twice)}: leave one of them out"
            raise SettingsError((Problem(str(path), 1, "engines", message),))
        completers |= loaded
    return completers
