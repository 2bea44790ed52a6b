"""Settings -> plan. Run as `python -m firstline.planning FILE`, it writes the plan, pickled."""

import json
import os
import pickle
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from agent.board import Told
from agent.core.clean import Expectation
from agent.core.pressure import Frugality
from agent.update.slots import UPDATES, held
from broker.package.errors import PackageError
from broker.package.inputs import WindowInput
from broker.package.manifest import Manifest, load_manifest
from broker.package.ram import whole_bytes
from broker.wire.credentials import DEVICE_CARD
from firstline.feasible import gate_policy, refusals
from firstline.mask_rules import list_faults, mask_rules
from firstline.naming import names_faults
from firstline.placing import placed
from firstline.plan import (
    AgentPlan,
    Broker,
    Candidates,
    Endpoint,
    EnginePlan,
    Placed,
    PlanningError,
    TaskPlan,
    Updates,
)
from firstline.settings.agent import (
    AgentSettings,
    BrokerSection,
    EndpointSection,
    ModelSection,
    TaskSection,
)
from firstline.settings.problems import SettingsError
from firstline.settings.source import Fault, located, read
from firstline.shipped import names_folder, package_folder

_MB = 1_000_000


def main() -> None:
    """Write the plan of a settings file, or the error that it has."""
    try:
        found: AgentPlan | Exception = _planned(Path(sys.argv[1]), _candidates(sys.argv[2:]))
    except (SettingsError, PackageError) as error:
        found = error
    except OSError as error:  # of a folder of keys, say, that this user may not enter
        found = PlanningError(f"{error.filename}: {error.strerror}")
    sys.stdout.buffer.write(pickle.dumps(found))


def _candidates(words: list[str]) -> Candidates | None:
    """What may stand in for the factory's packages; None: what is noted as installed."""
    given = json.loads(words[0])
    if given is None:
        return None
    return {name: [Path(each) for each in folders] for name, folders in given.items()}


def _planned(path: Path, candidates: Candidates | None) -> AgentPlan:
    settings, base = read(path, AgentSettings), path.resolve().parent
    if faults := (*list_faults(settings, base), *names_faults(settings.agent.names, base)):
        raise SettingsError(located(path, faults))
    found = plan(settings, base, candidates)
    if faults := tuple(gate_faults(settings, base, found.packages)):
        raise SettingsError(located(path, faults))
    return found


def plan(settings: AgentSettings, base: Path, candidates: Candidates | None = None) -> AgentPlan:
    """Unpack settings whose paths are relative to `base`.

    Args:
        settings: What the file says.
        base: Its folder.
        candidates: Folders that may stand in for the factory's packages; else what is installed.

    Raises:
        PackageError: a model package cannot be used, or not for its task.
        ListFileError: a file with a list cannot be used.
    """
    local, board = settings.local_broker, settings.board
    if candidates is None:
        candidates = held(base / settings.agent.state / UPDATES)
    packages = placed(settings, base, candidates)
    return AgentPlan(
        credentials=_credentials(settings, base),
        state=base / settings.agent.state,
        told=Told(power=board.power, metered=board.metered, metered_file=base / board.metered_file),
        throttle_c=board.throttle_c,
        writes_mb_per_day=board.writes_mb_per_day,
        broker=_broker(settings.broker, settings, base),
        local_broker=None if local is None else _broker(local, settings, base),
        resend_s=settings.agent.resend_s,
        max_questions=settings.agent.max_questions,
        names=tuple(names_folder(each, base) for each in settings.agent.names),
        conversation_s=settings.agent.conversation_s,
        tasks=tuple(_task(section, settings, base, packages) for section in settings.tasks),
        updates=Updates(enabled=settings.updates.enabled, groups=settings.updates.groups),
        packages=packages,
    )


def gate_faults(
    settings: AgentSettings, base: Path, packages: Mapping[str, Placed]
) -> Iterator[Fault]:
    """Bounds that the tasks' models cannot keep.

    Raises:
        PackageError: a model package cannot be used, or not for its task.
    """
    for number, section in enumerate(settings.tasks):
        manifest = _manifest(section, settings, base, packages)
        head = manifest.head(section.domain)
        for key, message in refusals(manifest, head, gate_policy(section)):
            yield ("tasks", number, key), message


def expectation(section: TaskSection, manifest: Manifest) -> Expectation:
    """What a task takes: its own limits, and the shape that its model was made for.

    Raises:
        PackageError: the package is made for another payload, or has no such domain.
    """
    manifest.head(section.domain)
    if manifest.payload != section.payload:
        raise PackageError(
            f"task {section.name!r} sends a {section.payload}, but {manifest.name} takes a "
            f"{manifest.payload}: change the task's 'payload' or its model"
        )
    if not isinstance(manifest.input, WindowInput):
        return Expectation(
            section.payload, max_bytes=section.max_bytes, max_chars=section.max_chars
        )
    window = manifest.input
    return Expectation(
        section.payload,
        max_bytes=section.max_bytes,
        channels=window.channels,
        rate_hz=window.rate_hz,
        min_length=window.length,
        max_length=window.length,
    )


def _manifest(
    section: TaskSection, settings: AgentSettings, base: Path, packages: Mapping[str, Placed]
) -> Manifest:
    factory = load_manifest(package_folder(settings.models[section.model].package, base))
    found = packages[factory.name]
    return factory if found.folder == found.factory else load_manifest(found.folder)


def _task(
    section: TaskSection, settings: AgentSettings, base: Path, packages: Mapping[str, Placed]
) -> TaskPlan:
    manifest = _manifest(section, settings, base, packages)
    return TaskPlan(
        name=section.name,
        engine=_engine(settings.models[section.model], manifest.folder),
        package=manifest.name,
        domain=section.domain,
        expect=expectation(section, manifest),
        rules=mask_rules(section.mask, base, manifest),
        gate=gate_policy(section),
        frugal=Frugality(section.frugal_share, section.frugal_wait_s),
        patience_s=section.patience_s,
        priority=section.priority,
        provisional=section.provisional,
        source=_endpoint(section.input, base),
        target=_endpoint(section.output, base),
    )


def _engine(section: ModelSection, package: Path) -> EnginePlan:
    # What takes more than most of the memory there is would take the board down with it.
    return EnginePlan(
        package=package,
        threads=section.threads,
        timeout_s=section.timeout_s,
        unload_after_s=section.unload_after_s,
        profile=section.profile,
        max_memory_bytes=section.max_memory_mb * _MB or whole_bytes() * 3 // 4,
    )


def _credentials(settings: AgentSettings, base: Path) -> Path:
    """The device's folder of keys: the copies that systemd made for this service, if it did."""
    given = os.environ.get("CREDENTIALS_DIRECTORY", "")  # systemd.exec(5), LoadCredential=
    if given and (Path(given) / DEVICE_CARD).exists():
        return Path(given)
    return base / settings.agent.credentials


def _broker(section: BrokerSection, settings: AgentSettings, base: Path) -> Broker:
    tls = section.tls_files(_credentials(settings, base), base)
    return Broker(section.host, section.port, tls)


def _endpoint(section: EndpointSection, base: Path) -> Endpoint:
    path = None if section.path is None else base / section.path
    return Endpoint(section.kind, path, section.topic)


if __name__ == "__main__":
    main()
