"""What a settings file names, and whether it is there.

models -> packages that can be read; tasks -> domains and payloads that these packages know
credentials -> keys that open; folders -> folders
"""

import os
from collections.abc import Iterator
from pathlib import Path

from broker.package.errors import PackageError
from broker.package.manifest import Manifest, load_manifest
from broker.wire.credentials import load_device, load_worker
from broker.wire.errors import KeyFileError
from broker.wire.tls import client_context
from firstline.feasible import gate_policy, refusals
from firstline.mask_rules import list_faults
from firstline.naming import names_faults
from firstline.settings import source
from firstline.settings.agent import AgentSettings, EndpointSection, TaskSection
from firstline.settings.model_server import SectionFileError, read_files
from firstline.settings.source import Fault, Location
from firstline.settings.worker import OpenAiSection, PackageSection, WorkerSettings
from firstline.shipped import package_folder

Settings = AgentSettings | WorkerSettings


def read(path: Path) -> Settings:
    """Read a settings file of either kind.

    Raises:
        SettingsError: it cannot be used.
    """
    if source.read_kind(path, (AgentSettings, WorkerSettings)) is AgentSettings:
        return source.read(path, AgentSettings)
    return source.read(path, WorkerSettings)


def credentials_folder(settings: Settings, base: Path) -> Path:
    """Where the keys lie."""
    match settings:
        case AgentSettings(agent=section):
            return base / section.credentials
        case WorkerSettings(worker=section):
            return base / section.credentials


def state_folder(settings: Settings, base: Path) -> Path:
    """Where the outbox or the claims lie."""
    match settings:
        case AgentSettings(agent=section):
            return base / section.state
        case WorkerSettings(worker=section):
            return base / section.state


def faults(settings: Settings, base: Path) -> Iterator[Fault]:
    """What the settings name that is not there or cannot be used; `base` is the file's folder."""
    match settings:
        case AgentSettings():
            yield from _agent_faults(settings, base)
        case WorkerSettings(engines=engines):
            for number, engine in enumerate(engines):
                yield from _engine_faults(engine, base, ("engines", number))
    yield from _key_faults(settings, base)


def _engine_faults(
    engine: PackageSection | OpenAiSection, base: Path, where: Location
) -> Iterator[Fault]:
    if isinstance(engine, OpenAiSection):
        try:
            read_files(engine, base)
        except SectionFileError as error:
            yield (*where, error.key), str(error)
        return
    folder = package_folder(engine.package, base)
    manifest, wrong = _package(folder, (*where, "package"))
    yield from wrong
    if manifest is not None and manifest.engine != engine.kind:
        yield (*where, "kind"), f"{manifest.name} needs {manifest.engine}"


def _agent_faults(settings: AgentSettings, base: Path) -> Iterator[Fault]:
    yield from names_faults(settings.agent.names, base)
    yield from list_faults(settings, base)
    manifests: dict[str, Manifest] = {}
    for name, model in settings.models.items():
        folder = package_folder(model.package, base)
        manifest, wrong = _package(folder, ("models", name, "package"))
        yield from wrong
        if manifest is not None:
            manifests[name] = manifest
    for number, task in enumerate(settings.tasks):
        if task.model in manifests:
            yield from _task_faults(task, manifests[task.model], ("tasks", number))
        yield from _folder_faults(task.input, base, ("tasks", number, "input"))
        yield from _folder_faults(task.output, base, ("tasks", number, "output"))


def _package(folder: Path, where: Location) -> tuple[Manifest | None, tuple[Fault, ...]]:
    try:
        return load_manifest(folder), ()
    except PackageError as error:
        return None, ((where, str(error)),)


def _task_faults(task: TaskSection, manifest: Manifest, where: Location) -> Iterator[Fault]:
    domains = [head.domain for head in manifest.heads]
    if task.domain not in domains:
        yield (*where, "domain"), f"{manifest.name} knows {', '.join(domains)}"
    if task.payload != manifest.payload:
        yield (*where, "payload"), f"{manifest.name} takes a {manifest.payload}"
    if task.domain in domains:
        head = manifest.head(task.domain)
        for key, message in refusals(manifest, head, gate_policy(task)):
            yield (*where, key), message


def _folder_faults(endpoint: EndpointSection, base: Path, where: Location) -> Iterator[Fault]:
    if endpoint.kind != "folder" or endpoint.path is None:
        return
    folder = base / endpoint.path
    if folder.exists() and not folder.is_dir():
        yield (*where, "path"), f"{folder} is no folder"
    elif folder.exists() and not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield (*where, "path"), f"{folder} cannot be read and written by this user"


def _key_faults(settings: Settings, base: Path) -> Iterator[Fault]:
    folder = credentials_folder(settings, base)
    is_agent = isinstance(settings, AgentSettings)
    try:
        if is_agent:
            load_device(folder)
        else:
            load_worker(folder)
    except KeyFileError as error:
        yield ("agent" if is_agent else "worker", "credentials"), str(error)
    try:
        if files := settings.broker.tls_files(folder, base):
            client_context(files)
    except KeyFileError as error:
        yield ("broker", "tls"), str(error)
