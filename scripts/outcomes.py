"""A plugin that writes down how each test ended: `pytest -p scripts.outcomes --outcomes FILE`.

The exit code alone tells too little: after a worker of xdist crashed and tests never ran, or with a
file that cannot be imported, it is 1 as well, as if a test had failed.
"""

import json
from pathlib import Path

import pytest


class _Outcomes:
    """What is heard, and where it is written at the end."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._ended: dict[str, set[str]] = {}  # how the steps of each test ended
        self._broken: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._ended.setdefault(report.nodeid, set()).add(report.outcome)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._broken.append(f"{report.nodeid} cannot be collected")

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object, error: object) -> None:  # of xdist
        if error:
            self._broken.append(f"a worker ended: {node} {error}")

    def pytest_internalerror(self, excrepr: object) -> None:
        self._broken.append(f"pytest failed: {excrepr}")

    def pytest_sessionfinish(self) -> None:
        failed = sorted(test for test, ended in self._ended.items() if "failed" in ended)
        passed = sorted(test for test, ended in self._ended.items() if ended == {"passed"})
        content = {"failed": failed, "passed": passed, "broken": self._broken}
        self._file.write_text(json.dumps(content), encoding="utf-8")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--outcomes`."""
    parser.addoption("--outcomes", type=Path, help="write how each test ended into this file")


def pytest_configure(config: pytest.Config) -> None:
    """Listen, in the process that hears of all tests."""
    file = config.getoption("outcomes")
    if file is not None and not hasattr(config, "workerinput"):  # a worker of xdist
        config.pluginmanager.register(_Outcomes(file))
