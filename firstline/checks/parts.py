"""What is installed: mosquitto, the extras, the cryptography, the shipped models."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from broker.fleet.errors import BrokerMissingError
from broker.fleet.mosquitto import find_mosquitto
from broker.package.errors import PackageError
from broker.package.files import verify_files
from broker.package.manifest import load_manifest
from broker.wire.keys import Suite, supported_suites
from firstline.checks.finding import Finding, fail, ok, warn
from firstline.shipped import MODELS

_EXTRAS = {
    "device": ("numpy", "onnxruntime", "pycrfsuite", "tuf", "watchdog"),
    "worker": ("httpx", "numpy", "onnxruntime", "prometheus_client"),
}
_AGAIN = "pip install --force-reinstall --no-deps firstline"
_IMPORT_S = 60.0  # a cold SD card is slow


def findings() -> Iterator[Finding]:
    """Look at what is installed."""
    yield _mosquitto()
    yield from (_extra(name, modules) for name, modules in _EXTRAS.items())
    yield _suite()
    yield from _models(MODELS)


def _mosquitto() -> Finding:
    try:
        return ok("mosquitto", find_mosquitto())
    except BrokerMissingError:
        fix = "sudo apt-get install --yes mosquitto"
        return warn("mosquitto", "not here; only the broker's machine needs it", fix)


def _extra(name: str, modules: tuple[str, ...]) -> Finding:
    """Import in a child: a wheel for another processor dies of an illegal instruction."""
    command = [sys.executable, "-c", f"import {', '.join(modules)}"]
    fix = f"pip install 'firstline[{name}]'"
    try:
        child = subprocess.run(  # noqa: S603 - our own words
            command,
            capture_output=True,
            text=True,
            timeout=_IMPORT_S,
            check=False,
            env=os.environ | {"ORT_DISABLE_TELEMETRY": "1"},  # see broker/package/session.py
        )
    except subprocess.TimeoutExpired:
        return fail(f"extra {name}", f"its import took more than {_IMPORT_S:g} s", fix)
    if child.returncode == -signal.SIGILL:
        seen = "its wheels are made for another processor"
        return fail(f"extra {name}", seen, f"pip install --no-binary :all: {' '.join(modules)}")
    if child.returncode != 0:
        reason = (child.stderr.strip().splitlines() or ["no reason given"])[-1]
        return warn(f"extra {name}", reason, fix)
    return ok(f"extra {name}", ", ".join(modules))


def _suite() -> Finding:
    best = supported_suites()[0]
    if best is not Suite.XWING:
        fix = "pip install --upgrade cryptography"
        return warn("encryption", "no ML-KEM: questions are sealed with X25519 only", fix)
    return ok("encryption", "post-quantum: ML-KEM-768 + X25519")


def _models(folder: Path) -> Iterator[Finding]:
    packages = sorted(folder.glob("*/package.toml"))
    if not packages:
        yield fail("models", f"no model packages in {folder}", _AGAIN)
    intact = []
    for path in packages:
        try:
            manifest = load_manifest(path.parent)
            verify_files(manifest.folder, manifest.files)
        except PackageError as error:
            yield fail("models", str(error), _AGAIN)
        else:
            intact.append(f"{manifest.name} {manifest.version}")
    if intact:
        yield ok("models", f"intact: {', '.join(intact)}")
