"""Which folder a package is taken from: what a release brought, or what the factory laid down.

candidates, the newest first --> the first that all tasks can use --> else the factory's
"""

from collections.abc import Sequence
from pathlib import Path

from broker.package.errors import PackageError
from broker.package.golden import Golden, read_golden
from broker.package.manifest import Manifest, load_manifest
from broker.package.speed import Speed
from firstline.feasible import gate_policy, refusals
from firstline.plan import Candidates, Placed, Unusable
from firstline.settings.agent import AgentSettings, TaskSection
from firstline.shipped import package_folder

_UNKNOWN = Speed(1.0, 1.0)


def placed(settings: AgentSettings, base: Path, candidates: Candidates) -> dict[str, Placed]:
    """Where each package of the settings is taken from, by its name.

    Raises:
        PackageError: the factory's package cannot be read.
    """
    factories: dict[str, tuple[Path, list[str]]] = {}
    for model, section in settings.models.items():
        folder = package_folder(section.package, base)
        name = load_manifest(folder).name
        factories.setdefault(name, (folder, []))[1].append(model)
    return {
        name: _place(name, folder, candidates.get(name, ()), _tasks_of(settings, models))
        for name, (folder, models) in factories.items()
    }


def _tasks_of(settings: AgentSettings, models: list[str]) -> list[TaskSection]:
    return [task for task in settings.tasks if task.model in models]


def _place(
    name: str, factory: Path, candidates: Sequence[Path], tasks: list[TaskSection]
) -> Placed:
    unusable: dict[Path, Unusable] = {}
    for folder in candidates:
        try:
            manifest = load_manifest(folder)
            golden = read_golden(folder) or _made_up(manifest)
        except PackageError as error:
            unusable[folder] = Unusable(str(error).replace(f"{folder}/", ""), broken=True)
            continue
        if reason := _refusal(name, manifest, tasks):
            unusable[folder] = Unusable(reason, broken=False)
            continue
        return Placed(name=name, factory=factory, folder=folder, unusable=unusable, golden=golden)
    return Placed(name=name, factory=factory, folder=factory, unusable=unusable, golden=None)


def _refusal(name: str, manifest: Manifest, tasks: list[TaskSection]) -> str:
    """Why this board's tasks cannot use a package; empty if they can."""
    if manifest.name != name:
        return f"it is {manifest.name}, not {name}"
    for task in tasks:
        try:
            head = manifest.head(task.domain)
        except PackageError as error:
            return f"task {task.name}: {error}"
        if manifest.payload != task.payload:
            return f"task {task.name} sends a {task.payload}, it takes a {manifest.payload}"
        for _, words in refusals(manifest, head, gate_policy(task)):
            return f"task {task.name}: {words}"
    return ""


def _made_up(manifest: Manifest) -> Golden:
    """For a package that brings no questions along: any answer will do."""
    from firstline.packing.golden import blank_cases  # noqa: PLC0415 - with an engine, if needed

    return Golden(tuple(blank_cases(manifest))[:2], 0.0, 0.0, _UNKNOWN, 0)
