"""What a head's calibration means for the bounds of a task.

settings, or a package and a domain --> manifest, head, policy --> Explanation
"""

from dataclasses import dataclass, replace
from pathlib import Path

from agent.core.bounds import Certified, Risks, certify
from agent.core.gate import GatePolicy
from broker.package.heads import Head
from broker.package.manifest import Manifest, load_manifest
from firstline.exits import CommandError, ExitCode
from firstline.feasible import calibration_of, gate_policy, refusals, remedy
from firstline.settings import source
from firstline.settings.agent import AgentSettings
from firstline.settings.problems import SettingsError
from firstline.shipped import package_folder
from firstline.trust import CONFIDENCE, RISKS, SHARES, Price, Worth, price, worth

FEW = 100  # samples; with fewer the bounds are loose


@dataclass(frozen=True, slots=True)
class Operating:
    """Where the settings stand."""

    max_error: float | None
    confidence: float
    max_share: float | None
    explore: float
    kept: float  # share of questions, expected on data like the calibration's
    wrong: float | None  # of those, on the calibration's rows; none: nothing is kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """All that is told."""

    task: str
    package: str
    version: str
    domain: str
    method: str
    samples: int
    few_samples: bool
    ece: float
    called_out: float  # share of the samples that the model itself calls out of scope
    confidence: float
    risks: Risks
    prices: list[Price]
    worths: list[Worth]
    operating: Operating | None  # None: without settings
    notes: list[str]
    refused: SettingsError | None = None  # the settings' bound cannot be kept


def of_package(named: str, domain: str) -> Explanation:
    """Explain a domain of a package.

    Raises:
        CommandError: it was never calibrated, or by an earlier version.
        PackageError: the package cannot be used, or has no such domain.
    """
    manifest = load_manifest(package_folder(named, Path()))
    head = manifest.head(domain)
    return _explained(domain, manifest, head, GatePolicy(None, CONFIDENCE), None)


def of_task(path: Path, name: str) -> Explanation:
    """Explain a task of an agent's settings.

    Raises:
        SettingsError: the settings cannot be used.
        CommandError: there is no such task, or its model has no risk table.
        PackageError: the package cannot be used, or has no such domain.
    """
    settings = source.read(path, AgentSettings)
    numbers = {section.name: number for number, section in enumerate(settings.tasks)}
    if name not in numbers:
        raise CommandError(f"{path} has no task {name!r}: {', '.join(numbers)}", ExitCode.USAGE)
    section = settings.tasks[numbers[name]]
    named = settings.models[section.model].package
    manifest = load_manifest(package_folder(named, path.resolve().parent))
    head, policy = manifest.head(section.domain), gate_policy(section)
    faults = [
        (("tasks", numbers[name], key), message)
        for key, message in refusals(manifest, head, policy)
    ]
    found = _explained(name, manifest, head, policy, _operating(head, policy))
    return replace(found, refused=SettingsError(source.located(path, faults))) if faults else found


def _explained(
    task: str,
    manifest: Manifest,
    head: Head,
    policy: GatePolicy,
    operating: Operating | None,
) -> Explanation:
    curve, risks = head.curve, calibration_of(head).risks
    if curve is None or not risks.steps:
        why = "was never calibrated" if curve is None else "was calibrated by an earlier version"
        message = f"{manifest.name} {head.domain} {why}: nothing can be told of its errors"
        raise CommandError(message, ExitCode.MODEL, fix=remedy(manifest, head))
    bounds = _with(RISKS, policy.max_error)
    shares = _with(SHARES, policy.max_share)
    return Explanation(
        task=task,
        package=manifest.name,
        version=manifest.version,
        domain=head.domain,
        method=curve.method,
        samples=curve.samples,
        few_samples=curve.samples < FEW,
        ece=curve.ece,
        called_out=round(1.0 - risks.steps[-1].kept / risks.samples, 4),
        confidence=policy.confidence,
        risks=risks,
        prices=[price(risks, bound, policy.confidence) for bound in bounds],
        worths=[worth(risks, share, policy.confidence) for share in shares],
        operating=operating,
        notes=_notes(curve.samples, operating),
    )


def _with(usual: tuple[float, ...], chosen: float | None) -> list[float]:
    return sorted({*usual, *(() if chosen is None else (chosen,))})


def _operating(head: Head, policy: GatePolicy) -> Operating:
    """A bound on error alone keeps what it may; a share alone asks all it may."""
    risks = calibration_of(head).risks
    kept = 1.0
    if policy.max_error is not None:
        found = certify(risks, policy.max_error, policy.confidence)
        kept = found.kept if isinstance(found, Certified) else 0.0
    elif policy.max_share is not None:
        kept = 1.0 - policy.max_share
    least = risks.steps[-1].kept / risks.samples if risks.steps else 0.0
    kept = min(kept, least)
    wrong = worth(risks, 1.0 - kept, policy.confidence).wrong if kept else None
    return Operating(
        policy.max_error,
        policy.confidence,
        policy.max_share,
        policy.explore,
        round(kept, 4),
        wrong,
    )


def _notes(samples: int, point: Operating | None) -> list[str]:
    notes = []
    if samples < FEW:
        notes.append(f"Only {samples} samples: every bound is loose. Calibrate on more.")
    if point is None:
        return notes
    wanted = 1.0 - point.kept
    if point.max_error is not None and point.max_share is not None and wanted > point.max_share:
        notes.append(
            f"max_error wants {wanted:.1%} asked, max_share allows {point.max_share:.1%}: about "
            f"{wanted - point.max_share:.1%} of the answers will be degraded, and say so."
        )
    if point.explore:
        share = point.explore * point.kept
        notes.append(f"About {share:.1%} more are asked to check what is kept (explore).")
    return notes
