"""Fails when a module is longer than the house allows: over the limit, split by concept."""

import sys
from pathlib import Path

LIMIT_LINES = 250  # STYLE rule 12: what a reader holds in one sitting


def main(folders: list[str]) -> int:
    """Name every module under the folders that is too long, and return the exit code."""
    modules = sorted(module for folder in folders for module in Path(folder).rglob("*.py"))
    too_long = [(module, lines) for module in modules if (lines := length(module)) > LIMIT_LINES]
    for module, lines in too_long:
        print(f"{module}: {lines} lines, {LIMIT_LINES} are allowed")
    print(f"{len(modules)} modules, {len(too_long)} too long")
    return 1 if too_long else 0


def length(module: Path) -> int:
    """Count the lines of a module."""
    return len(module.read_text(encoding="utf-8").splitlines())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
