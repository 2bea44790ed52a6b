"""A trained model as a package folder: weights, labels, hashes, figures, model card."""

import json
import os
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from broker.package import calibrate, heads
from broker.package.calibrate import Case
from broker.package.files import PACKAGE_FILE, sha256
from broker.package.fit import Scored, fit
from broker.package.load import load_package
from broker.package.manifest import CALIBRATION_FILE, load_manifest
from broker.package.model import PackageModel

_TIMED = 300  # inputs

Value = str | int | float


@dataclass(frozen=True, slots=True)
class Head:
    """One output and its labels."""

    domain: str
    output: str
    labels: Sequence[str]
    file: str  # of the labels
    scores: str = "logits"
    out_of_scope: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a package says of itself, before anything was measured."""

    name: str
    folder: Path
    parent: str
    input: str  # the [input] table as TOML
    heads: Sequence[Head]
    data: str
    licence: str  # of the data
    command: str
    card: str  # Markdown: how it was made
    files: Sequence[str]  # beside model.onnx and the labels


def finish(plan: Plan, cases: Mapping[str, Sequence[Case]]) -> dict[str, Value]:
    """Write the package, measure and calibrate it on validation cases, write its card."""
    for head in plan.heads:
        text = "\n".join(head.labels) + "\n"
        (plan.folder / head.file).write_text(text, encoding="utf-8")
    (plan.folder / CALIBRATION_FILE).unlink(missing_ok=True)
    _write_manifest(plan, ram_mb=1, figures={})
    before_mb = _resident_mb()
    model = load_package(plan.folder)
    every = [(case, domain) for domain, some in cases.items() for case in some[:_TIMED]]
    took_ms = [_timed(model, case, domain) for case, domain in every]
    ram_mb = max(1, round(_resident_mb() - before_mb))
    figures = _calibrated(model, cases)
    names = {name for name, _ in model.manifest.files}
    figures["size_bytes"] = sum((plan.folder / name).stat().st_size for name in names)
    figures["median_ms"] = round(statistics.median(took_ms), 3)
    _write_manifest(plan, ram_mb=ram_mb, figures=figures)
    _write_card(plan, figures)
    load_manifest(plan.folder)
    print(plan.name, json.dumps(figures), "ram_mb", ram_mb)
    return figures


def recalibrate(folder: Path, cases: Mapping[str, Sequence[Case]]) -> None:
    """Calibrate a package that is there; weights and hashes stay, figures change."""
    figures = _calibrated(load_package(folder), cases)
    for file, form in ((PACKAGE_FILE, "{} = {}"), ("README.md", "| {} | {} |")):
        path = folder / file
        lines = path.read_text(encoding="utf-8").splitlines()
        for key, value in figures.items():
            start = form.partition("{}")[0] + key + " "
            told = form.format(key, json.dumps(value))
            lines = [told if line.startswith(start) else line for line in lines]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    load_manifest(folder)
    print(folder.name, json.dumps(figures))


def _calibrated(model: PackageModel, cases: Mapping[str, Sequence[Case]]) -> dict[str, Value]:
    found = {domain: calibrate.scored(model, domain, some) for domain, some in cases.items()}
    fits = {domain: fit("isotonic", scored) for domain, scored in found.items()}
    calibrate.write(model.manifest, {domain: (found[domain], fits[domain]) for domain in found})
    figures: dict[str, Value] = {}
    for head in model.manifest.heads:
        domain = head.domain
        figures |= _figures(head, found[domain], cases[domain], fits[domain].ece)
    return figures


def _figures(
    head: heads.Head, found: Scored, cases: Sequence[Case], error: float
) -> dict[str, Value]:
    inside = [n for n, case in enumerate(cases) if case.label != head.out_of_scope]
    name = head.domain.replace("/", "_")
    figures: dict[str, Value] = {
        f"{name}_accuracy": round(float(found.right[inside].mean()), 4),
        f"{name}_ece": round(error, 4),
        f"{name}_samples": len(cases),
    }
    if head.out_of_scope:
        outside = [n for n, case in enumerate(cases) if case.label == head.out_of_scope]
        figures[f"{name}_out_of_scope_recall"] = round(float(found.asks[outside].mean()), 4)
    return figures


def _write_manifest(plan: Plan, *, ram_mb: int, figures: dict[str, Value]) -> None:
    names = ["model.onnx", *plan.files, *(head.file for head in plan.heads)]
    lines = [
        f"name = {json.dumps(plan.name)}",
        'version = "1.0.0"',
        'kind = "classification"',
        'engine = "onnxruntime"',
        'file = "model.onnx"',
        'licence = "Apache-2.0"',
        f"ram_mb = {ram_mb}",
        *([f"parent = {json.dumps(plan.parent)}"] if plan.parent else []),
        "",
        "[files]  # SHA-256",
        *(f'"{name}" = "{sha256(plan.folder / name)}"' for name in names),
        "",
        "[input]",
        plan.input.strip(),
    ]
    for head in plan.heads:
        lines += ["", "[[heads]]", *_head_lines(head)]
    lines += ["", "[training]"]
    for key, value in (("data", plan.data), ("licence", plan.licence), ("command", plan.command)):
        lines.append(f"{key} = {json.dumps(value)}")
    if figures:
        lines += ["", "[training.figures]  # on the validation split, with this file"]
        lines += [f"{key} = {json.dumps(value)}" for key, value in figures.items()]
    (plan.folder / PACKAGE_FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _head_lines(head: Head) -> list[str]:
    lines = [f'domain = "{head.domain}"', f'output = "{head.output}"', f'labels = "{head.file}"']
    if head.scores != "logits":
        lines.append(f'scores = "{head.scores}"')
    return lines + ([f'out_of_scope = "{head.out_of_scope}"'] if head.out_of_scope else [])


def _write_card(plan: Plan, figures: dict[str, Value]) -> None:
    rows = "\n".join(f"| {key} | {value} |" for key, value in figures.items())
    text = f"""# {plan.name} 1.0.0

{plan.card.strip()}

| figure | value |
|---|---|
{rows}

Measured on the validation split with the file in this folder, through the engine that runs it,
one input at a time on one core. The calibration was fitted on the same split; `ece` is
cross-fitted in five folds, so that no case is judged by a fit that saw it.

- Data: {plan.data}.
- Licence of the data: {plan.licence}. Licence of this package: Apache-2.0.
- Reproduce: `{plan.command}`
"""
    (plan.folder / "README.md").write_text(text, encoding="utf-8")


def _timed(model: PackageModel, case: Case, domain: str) -> float:
    started_s = time.perf_counter()
    model.answer(case.payload, domain)
    return (time.perf_counter() - started_s) * 1e3


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6
