"""What `firstline model pack` prints: what the file is, what was decided, what to type next."""

import shlex
from collections.abc import Iterator

from broker.package.manifest import Manifest
from firstline.console import columns
from firstline.packing.make import Packed
from firstline.packing.wishes import Findings, Wishes

_UNTRUSTED = (
    "It has no calibration yet: an agent does not trust it and asks the cloud for every answer. "
    "`firstline model calibrate` makes one."
)


def command(wishes: Wishes, findings: Findings) -> str:
    """What to type in order to pack it; what only a person knows is in capitals."""
    words = ["firstline", "model", "pack", str(wishes.model)]
    asked = [option for option, _ in findings.missing]
    return " ".join([*map(shlex.quote, words), *asked])


def inspected(wishes: Wishes, findings: Findings) -> dict[str, object]:
    """The findings as JSON."""
    return {
        "file": wishes.model,
        "facts": [{"what": what, "how": how} for what, how in findings.facts],
        **_choices(findings),
        "next": command(wishes, findings),
    }


def inspected_lines(wishes: Wishes, findings: Findings) -> Iterator[str]:
    """The findings as text."""
    yield from columns(findings.facts)
    yield from _decided(findings)
    if findings.missing:
        yield "Only you know:"
        yield from columns([(f"  {option}", what) for option, what in findings.missing])
    yield f"Next:  {command(wishes, findings)}"


def packed_document(packed: Packed, findings: Findings) -> dict[str, object]:
    """A package that was made, as JSON."""
    manifest = packed.manifest
    return {
        "name": manifest.name,
        "version": manifest.version,
        "kind": manifest.kind,
        "folder": manifest.folder,
        "ram_mb": packed.ram_mb,
        "tried": {"answer": packed.tried.answer, "elapsed_ms": round(packed.tried.elapsed_ms, 3)},
        "decided": _choices(findings)["decided"],
        "calibrated": False,
        "note": _UNTRUSTED,
        "next": _next(manifest),
    }


def packed_lines(packed: Packed, findings: Findings) -> Iterator[str]:
    """A package that was made, as text."""
    manifest, tried = packed.manifest, packed.tried
    yield f"Made {manifest.name} {manifest.version} in {manifest.folder}."
    yield f"Tried: {tried.answer!r} in {tried.elapsed_ms:.1f} ms, {packed.ram_mb} MB of memory."
    yield from _decided(findings)
    yield _UNTRUSTED
    yield f"Next:  {_next(manifest)}"


def _decided(findings: Findings) -> Iterator[str]:
    if findings.decided:
        yield "Decided, because you did not say:"
        yield from columns([(f"  {option}", why) for option, why in findings.decided])


def _choices(findings: Findings) -> dict[str, list[dict[str, str]]]:
    return {
        "decided": [{"option": option, "why": why} for option, why in findings.decided],
        "missing": [{"option": option, "what": what} for option, what in findings.missing],
    }


def _next(manifest: Manifest) -> str:
    task = f'domain = "{manifest.heads[0].domain}", payload = "{manifest.payload}"'
    package = f'package = "{manifest.folder.resolve()}"'
    return f"write {package} under [models.NAME] in the settings, and {task} in a task"
