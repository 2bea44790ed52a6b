"""Runs the tests side by side; a few that fail are run once more, alone: `run_tests.py PROCESSES`.

    all, side by side --failed--> the same, one after the other --passed--> "unsteady", and 0

A machine that is busy must not cost a day's work, and nothing may hide that it did. What is no
test's own failure is never tried again: a crash, an interruption, a file that cannot be imported,
nothing found. Nor is anything when arguments for pytest are given: who runs a part wants to see it
fail.
"""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

_MOST = 10  # tests that may fail by chance; of more, none does
_FAILED = 1  # pytest's exit code: tests ran, and some failed


@dataclass(frozen=True, slots=True)
class _Run:
    exit_code: int
    failed: frozenset[str] = frozenset()
    passed: frozenset[str] = frozenset()
    broken: tuple[str, ...] = ()  # what no test is to blame for


def main(arguments: list[str]) -> int:
    """Run them, and return pytest's exit code."""
    processes, *given = arguments
    # A worker that crashes ends the run: replaced, it may leave xdist waiting for ever.
    beside = ["--numprocesses", processes, "--dist", "loadfile", "--max-worker-restart", "0"]
    first = _run([*beside, *given])
    if given or os.environ.get("PYTEST_ADDOPTS") or not _may_be_chance(first):
        return first.exit_code
    _say(f"{len(first.failed)} failed. Once more, alone:", *sorted(first.failed))
    second = _run(sorted(first.failed))
    if second.exit_code or second.broken or second.passed != first.failed:
        still = sorted(first.failed - second.passed)
        _say("failed beside others, and do not pass alone:", *still)
        return second.exit_code or _FAILED
    _say("UNSTEADY: failed beside others and passed alone. Please report:", *sorted(first.failed))
    return 0


def _may_be_chance(run: _Run) -> bool:
    for what in run.broken:
        _say(what)
    return run.exit_code == _FAILED and not run.broken and 0 < len(run.failed) <= _MOST


def _run(arguments: list[str]) -> _Run:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "outcomes.json"
        plugin = ["-p", "scripts.outcomes", "--outcomes", str(file)]
        command = [sys.executable, "-m", "pytest", *plugin, *arguments]
        exit_code = subprocess.run(command, check=False).returncode  # noqa: S603 - our own tests
        if not file.exists():  # it did not come that far
            return _Run(exit_code or _FAILED, broken=("pytest did not end its run",))
        told = json.loads(file.read_text(encoding="utf-8"))
    failed, passed = frozenset(told["failed"]), frozenset(told["passed"])
    return _Run(exit_code, failed, passed, tuple(told["broken"]))


def _say(what: str, *tests: str) -> None:
    print("\n=====", what, *(f"\n=====   {test}" for test in tests), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
