"""What a settings file refers to: keys, models, broker, the folder for state."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from statistics import median

from agent.store.keyring import newest
from broker.wire.bundle import KeyBundle
from broker.wire.credentials import BUNDLE, load_device, read_bundle
from broker.wire.errors import KeyFileError
from broker.wire.keys import supported_suites
from firstline.checks import model_server, models, reach
from firstline.checks.finding import Finding, fail, ok, warn
from firstline.dates import day
from firstline.settings import references, source
from firstline.settings.agent import AgentSettings
from firstline.settings.problems import Problem, SettingsError
from firstline.settings.references import Settings
from firstline.settings.worker import OpenAiSection, WorkerSettings

_OTHERS = 0o077  # permission bits of group and world
_WRITES, _WRITE_BYTES = 5, 4096
_SLOW_MS = 50.0
_SOON_S = 7 * 86_400.0  # an operator has a week to make more keys
_NEW_BUNDLE = "firstline fleet rotate && firstline fleet publish  (by the operator)"


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
        yield from _device_keys(
            references.credentials_folder(settings, base), references.state_folder(settings, base)
        )
    else:
        yield from _worker_keys(references.credentials_folder(settings, base))
    yield _state(references.state_folder(settings, base))
    if isinstance(settings, AgentSettings):
        yield from models.findings(settings, base)
    yield from _brokers(settings, base)
    if isinstance(settings, WorkerSettings):
        for engine in settings.engines:
            if isinstance(engine, OpenAiSection):
                yield from model_server.findings(engine, base)


def _settings(path: Path, problem: Problem) -> Finding:
    return fail("settings", str(problem), f"nano +{problem.line} {path}")


def _permissions(folder: Path) -> Finding:
    fix = f"chmod -R go= {folder}"
    if not folder.is_dir():
        return fail("keys", f"{folder} is not there", "firstline join --broker HOST")
    paths = (path for path in folder.iterdir() if path.suffix != ".pub")
    open_ones = sorted(path.name for path in paths if path.stat().st_mode & _OTHERS)
    if open_ones:
        return fail("keys", f"others may read {', '.join(open_ones)} in {folder}", fix)
    return ok("keys", f"{folder}: for this user only")


def _device_keys(folder: Path, state: Path) -> Iterator[Finding]:
    with suppress(KeyFileError):  # told with the settings
        credentials = load_device(folder)
        bundle, now_s = newest(credentials, state / BUNDLE).bundle, time.time()
        try:
            key = bundle.best_key(supported_suites(), now_s)
        except KeyFileError as error:
            yield fail("pool key", str(error), _clock_or_bundle(bundle, now_s))
        else:
            yield _until(bundle, now_s, f"pool {bundle.pool}, suite {key.suite.name}")


def _worker_keys(folder: Path) -> Iterator[Finding]:
    with suppress(KeyFileError):  # told with the settings
        bundle, now_s = read_bundle(folder)[0], time.time()
        if now_s < bundle.ends_s:
            yield _until(bundle, now_s, f"pool {bundle.pool}")
        else:
            seen = f"the keys of pool {bundle.pool} ended on {day(bundle.ends_s)}"
            yield fail("pool key", seen, _clock_or_bundle(bundle, now_s))


def _until(bundle: KeyBundle, now_s: float, what: str) -> Finding:
    seen = f"{what}, key bundle {bundle.version} until {day(bundle.ends_s)}"
    if bundle.ends_s - now_s < _SOON_S:
        return warn("pool key", seen, _NEW_BUNDLE)
    return ok("pool key", seen)


def _clock_or_bundle(bundle: KeyBundle, now_s: float) -> str:
    return _NEW_BUNDLE if now_s >= bundle.ends_s else "sudo timedatectl set-ntp true"


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


def _brokers(settings: Settings, base: Path) -> Iterator[Finding]:
    keys, broker = references.credentials_folder(settings, base), settings.broker
    yield reach.finding("broker", broker.host, broker.port, broker.tls_files(keys, base))
    if isinstance(settings, AgentSettings) and settings.local_broker is not None:
        local = settings.local_broker
        yield reach.finding("local broker", local.host, local.port, local.tls_files(keys, base))
