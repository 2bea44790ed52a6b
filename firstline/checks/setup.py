"""What a settings file refers to: keys, models, broker, the folder for state."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from statistics import median

from broker.wire.credentials import load_device
from broker.wire.errors import KeyFileError
from broker.wire.keys import supported_suites
from firstline.checks import model_server, reach
from firstline.checks.finding import Finding, fail, ok, warn
from firstline.settings import references, source
from firstline.settings.agent import AgentSettings
from firstline.settings.problems import Problem, SettingsError
from firstline.settings.references import Settings
from firstline.settings.worker import OpenAiSection, WorkerSettings

_OTHERS = 0o077  # permission bits of group and world
_WRITES, _WRITE_BYTES = 5, 4096
_SLOW_MS = 50.0


def findings(path: Path) -> Iterator[Finding]:
    """Look at a settings file and at all that it names."""
    try:
        settings = references.read(path)
    except SettingsError as error:
        yield from (_settings(path, problem) for problem in error.problems)
        return
    base = path.resolve().parent
    faults = tuple(references.faults(settings, base))
    yield from (_settings(path, problem) for problem in source.located(path, faults))
    if not faults:
        yield ok("settings", f"{path}: valid, and all that it names is there")
    yield _permissions(references.credentials_folder(settings, base))
    if isinstance(settings, AgentSettings):
        yield from _pool_key(references.credentials_folder(settings, base))
    yield _state(references.state_folder(settings, base))
    yield from _brokers(settings)
    if isinstance(settings, WorkerSettings):
        for engine in settings.engines:
            if isinstance(engine, OpenAiSection):
                yield from model_server.findings(engine, base)


def _settings(path: Path, problem: Problem) -> Finding:
    return fail("settings", str(problem), f"nano +{problem.line} {path}")


def _permissions(folder: Path) -> Finding:
    fix = f"chmod -R go= {folder}"
    if not folder.is_dir():
        return fail("keys", f"{folder} is not there", "firstline fleet enroll DEVICE")
    paths = (path for path in folder.iterdir() if path.suffix != ".pub")
    open_ones = sorted(path.name for path in paths if path.stat().st_mode & _OTHERS)
    if open_ones:
        return fail("keys", f"others may read {', '.join(open_ones)} in {folder}", fix)
    return ok("keys", f"{folder}: for this user only")


def _pool_key(folder: Path) -> Iterator[Finding]:
    with suppress(KeyFileError):  # told with the settings
        credentials = load_device(folder)
        try:
            key = credentials.bundle.best_key(supported_suites(), time.time())
        except KeyFileError as error:
            yield fail("pool key", str(error), "sudo timedatectl set-ntp true")
        else:
            yield ok("pool key", f"pool {credentials.pool}, suite {key.suite.name}")


def _state(folder: Path) -> Finding:
    """Write as the outbox does, and see how long the disk takes."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        took_ms = median(_write_ms(folder) for _ in range(_WRITES))
    except OSError as error:
        return fail("state", f"{folder}: {error.strerror}", f"sudo chown -R $USER {folder}")
    seen = f"{folder}: a durable write takes {took_ms:.1f} ms"
    if took_ms > _SLOW_MS:
        return warn("state", seen, "move [agent] state to a faster disk, such as an SSD")
    return ok("state", seen)


def _write_ms(folder: Path) -> float:
    with tempfile.TemporaryFile(dir=folder) as file:
        started_s = time.perf_counter()
        file.write(bytes(_WRITE_BYTES))
        file.flush()
        os.fsync(file.fileno())
        return (time.perf_counter() - started_s) * 1e3


def _brokers(settings: Settings) -> Iterator[Finding]:
    yield reach.finding("broker", settings.broker.host, settings.broker.port)
    if isinstance(settings, AgentSettings) and settings.local_broker is not None:
        local = settings.local_broker
        yield reach.finding("local broker", local.host, local.port)
