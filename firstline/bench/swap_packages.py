"""Packages for `bench swap`: versions of a shipped one, and one broken as packers break it."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Final

from agent.update.book import Bounds, Installed
from agent.update.slots import PACKAGES, UPDATES
from agent.update.words import Ready
from broker.package.files import PACKAGE_FILE, sha256
from broker.package.golden import GOLDEN_FILE
from firstline.shipped import MODELS

PACKAGE: Final = "commands-small"
RAM_MB: Final = 9
POISON: Final = "zyzzyva"  # a word of the broken package's vocabulary, without a row in its weights
_VOCABULARY: Final = "vocab.txt"


def lay_down(state: Path, number: int, bounds: Bounds) -> Ready:
    """A package as the updater leaves it: version 1.0.NUMBER, of release NUMBER."""
    version = f"1.0.{number}"
    digest = hashlib.sha256(version.encode()).hexdigest()
    folder = state / UPDATES / PACKAGES / digest
    folder.mkdir(parents=True)
    for path in (MODELS / PACKAGE).iterdir():
        if path.name == PACKAGE_FILE:
            _edit(folder, path.read_text(encoding="utf-8"), 'version = "1.0.0"', version)
        elif path.name == GOLDEN_FILE:
            (folder / path.name).write_text(_in_any_time(path.read_bytes()), encoding="utf-8")
        else:
            shutil.copyfile(path, folder / path.name)
    installed = Installed(
        package=PACKAGE,
        digest=digest,
        version=version,
        variant="int8",
        group="all",
        release=number,
    )
    return Ready(installed=installed, bounds=bounds, ram_mb=RAM_MB)


def break_it(state: Path, ready: Ready) -> None:
    """Give it a vocabulary of one word more than its weights have rows for.

    It passes every test without that word, and can answer no question with it.
    """
    folder = state / UPDATES / PACKAGES / ready.installed.digest
    path, described = folder / _VOCABULARY, folder / PACKAGE_FILE
    before = sha256(path)
    path.write_text(f"{path.read_text(encoding='utf-8').rstrip()}\n{POISON}\n", encoding="utf-8")
    text = described.read_text(encoding="utf-8")
    described.write_text(text.replace(before, sha256(path)), encoding="utf-8")


def _in_any_time(golden: bytes) -> str:
    """As if an answer took ten seconds: on a busy machine, too, the self-test is passed."""
    return json.dumps({**json.loads(golden), "ms": 10_000.0})


def _edit(folder: Path, text: str, line: str, version: str) -> None:
    changed = text.replace(line, f'version = "{version}"')
    (folder / PACKAGE_FILE).write_text(changed, encoding="utf-8")
