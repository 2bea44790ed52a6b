"""Builds a worker from its settings.

    worker.toml -> WorkerSettings -> credentials, claims, models -> WorkerService -> pages

Each package is loaded once for each question that it answers at the same time.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from broker.wire.credentials import load_worker
from cloud_worker.address import worker_address
from cloud_worker.completions import Prompt
from cloud_worker.devices import Devices
from cloud_worker.intake import unseen
from cloud_worker.limits import Limits
from cloud_worker.models import Completer, Engine, uncounted
from cloud_worker.package import PackageCompleter
from cloud_worker.service import WorkerService
from cloud_worker.store import ClaimStore
from cloud_worker.worker import Worker
from firstline.settings.model_server import SectionFileError, read_files
from firstline.settings.problems import SettingsError
from firstline.settings.source import Fault, located, read
from firstline.settings.worker import OpenAiSection, PackageSection, WorkerSettings
from firstline.shipped import package_folder
from firstline.worker_pages import worker_metrics, worker_pages

if TYPE_CHECKING:
    from cloud_worker.metrics import WorkerMetrics

CLAIMS = "claims.db"
_LEAST_LEASE_S, _SPARE_S = 60.0, 30.0


@contextmanager
def worker_process(path: Path) -> Iterator[WorkerService]:
    """The worker of a settings file; run it.

    Raises:
        SettingsError: the settings cannot be used.
        KeyFileError: the pool's keys cannot be used.
        WorkerError: a model or the claims cannot be used.
        PagesUnavailableError: the address for its pages is not to be had.
    """
    settings, base = read(path, WorkerSettings), path.resolve().parent
    keys, state = base / settings.worker.credentials, base / settings.worker.state
    credentials = load_worker(keys)
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    limits = Limits(
        queue=settings.worker.queue,
        retry_after_s=settings.worker.retry_after_s,
        drain_s=settings.worker.drain_s,
    )
    metrics = worker_metrics(settings.http)
    with ExitStack() as stack:
        store = stack.enter_context(ClaimStore(state / CLAIMS, lease_s=_lease_s(settings)))
        worker = Worker(
            credentials=credentials,
            devices=Devices(keys),
            completers=_Builder(path, settings, stack, metrics).completers(),
            store=store,
            limits=limits,
        )
        broker = settings.broker
        tls = broker.tls_files(settings.worker.credentials, base)
        address = worker_address(broker.host, broker.port, limits, tls=tls)
        observe = unseen if metrics is None else metrics.observe
        service = WorkerService(worker=worker, address=address, observe=observe)
        if metrics is not None:
            stack.enter_context(worker_pages(settings.http, service, metrics))
        yield service


def _lease_s(settings: WorkerSettings) -> float:
    """Longer than any model takes."""
    servers = (each.timeout_s for each in settings.engines if isinstance(each, OpenAiSection))
    return max(_LEAST_LEASE_S, *(timeout_s + _SPARE_S for timeout_s in servers), 0.0)


class _Builder:
    """Builds the models of a settings file; `stack` closes them."""

    def __init__(
        self,
        path: Path,
        settings: WorkerSettings,
        stack: ExitStack,
        metrics: "WorkerMetrics | None",
    ) -> None:
        self._path, self._base = path, path.resolve().parent
        self._settings, self._stack = settings, stack
        self._count_tokens = uncounted if metrics is None else metrics.count_tokens

    def completers(self) -> dict[str, Completer]:
        """Every model, by the domains that it answers for."""
        completers: dict[str, Completer] = {}
        for number, section in enumerate(self._settings.engines):
            engines = self._engines(section, number)
            twice = sorted(completers.keys() & engines.keys())
            if twice:
                message = f"two engines answer for {', '.join(twice)}: leave one of them out"
                raise self._refusal((("engines", number), message))
            completers |= engines
        return completers

    def _engines(
        self, section: PackageSection | OpenAiSection, number: int
    ) -> Mapping[str, Engine]:
        if isinstance(section, OpenAiSection):
            return self._server(section, number)
        folder = package_folder(section.package, self._base)
        copies = self._settings.worker.concurrency
        count = self._count_tokens
        package = PackageCompleter(
            folder, threads=section.threads, copies=copies, count_tokens=count
        )
        self._stack.callback(package.close)
        if package.engine != section.kind:
            message = f"{package.model} needs {package.engine}"
            raise self._refusal((("engines", number, "kind"), message))
        return package.completers()

    def _server(self, section: OpenAiSection, number: int) -> Mapping[str, Engine]:
        # Here, since httpx takes 8 MB and 0.1 s, and many workers have no server to ask.
        from cloud_worker.openai import OpenAiCompleter, Use  # noqa: PLC0415
        from cloud_worker.server import ServerAddress  # noqa: PLC0415

        try:
            files = read_files(section, self._base)
        except SectionFileError as error:
            raise self._refusal((("engines", number, error.key), str(error))) from error
        prompt = Prompt(
            model=section.model,
            system=section.system,
            prompt=section.prompt,
            max_tokens=section.max_tokens,
            score=section.score,
            schema=files.schema,
        )
        address = ServerAddress(
            base_url=section.base_url, api_key=files.api_key, connections=section.concurrency
        )
        use = Use(
            domains=section.domains,
            prompt=prompt,
            labels=section.labels,
            timeout_s=section.timeout_s,
        )
        completer = OpenAiCompleter(address, use, count_tokens=self._count_tokens)
        return self._stack.enter_context(completer).completers()

    def _refusal(self, fault: Fault) -> SettingsError:
        return SettingsError(located(self._path, [fault]))
