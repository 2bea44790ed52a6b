"""Can a task's bounds be kept by the model that it names? Asked before anything starts."""

from collections.abc import Iterator

from agent.core.bounds import Certified, Infeasible, Risks, Step, certify, least_asked
from agent.core.gate import Calibration, GatePolicy
from broker.package.heads import Head
from broker.package.manifest import Manifest
from firstline.settings.agent import TaskSection

Refusal = tuple[str, str]  # the key of the task's settings, what is wrong and what to do


def gate_policy(section: TaskSection) -> GatePolicy:
    """What a task accepts."""
    return GatePolicy(section.max_error, section.confidence, section.max_share, section.explore)


def calibration_of(head: Head) -> Calibration:
    """What the agent will know of a head once its engine has loaded it."""
    if head.curve is None:
        return Calibration(())
    steps = tuple(Step(*step) for step in head.curve.risk_table)
    return Calibration(head.curve.knots, Risks(steps, head.curve.samples))


def refusals(manifest: Manifest, head: Head, policy: GatePolicy) -> Iterator[Refusal]:
    """Tell which bounds this head cannot keep. A bound of 0 or 1 needs no measurement."""
    measured = bool(head.curve and head.curve.risk_table)
    bound = policy.max_error is not None and 0.0 < policy.max_error < 1.0
    key = "max_error" if bound else "max_share"
    if head.curve is not None and not measured and (bound or policy.max_share):
        yield key, _outdated(manifest, head)
    elif head.curve is None and policy.max_share:
        yield (
            key,
            (
                f"{manifest.name} was never calibrated, so nothing tells which answers are least "
                f"sure. Calibrate it: {remedy(manifest, head)}"
            ),
        )
    elif measured and bound and policy.max_error is not None:
        risks = calibration_of(head).risks
        match certify(risks, policy.max_error, policy.confidence):
            case Infeasible() as found:
                yield key, infeasible(manifest, head, policy, found)
            case Certified():
                pass


def _outdated(manifest: Manifest, head: Head) -> str:
    return (
        f"the calibration of {manifest.name} was made by an earlier version and has no risk "
        f"table, so no bound can be kept. Calibrate again: {remedy(manifest, head)}"
    )


def infeasible(manifest: Manifest, head: Head, policy: GatePolicy, found: Infeasible) -> str:
    """Say in words why a bound cannot be kept, and which could."""
    risks, bound = calibration_of(head).risks, policy.max_error or 0.0
    best = "No bound can be certified from so few samples"
    if found.kept:
        best = f"The best bound it allows is {found.best:.4f}, which keeps {found.kept:.0%} of all"
    return (
        f"{manifest.name} {head.domain} cannot keep at most {bound:.2%} wrong with confidence "
        f"{policy.confidence:.1%}: it was calibrated on {risks.samples} samples. {best}. Without a "
        f"score to go by, {least_asked(risks, bound):.1%} had to be asked in any case. Raise "
        "max_error, lower confidence, or calibrate on more data"
    )


def remedy(manifest: Manifest, head: Head) -> str:
    """The command that calibrates a head."""
    return f"firstline model calibrate {manifest.folder} --domain {head.domain} --data FILE"
