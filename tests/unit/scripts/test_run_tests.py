"""`make test` forgives what fails by chance beside others, says so, and forgives nothing else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PASSES = "def test_passes(): pass\n"
FAILS = "def test_fails(): assert False\n"
UNKNOWN = "import nonsense\n"
INTERRUPTED = "raise KeyboardInterrupt\n"
MOST = 10  # that may fail by chance
FAST = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "xdist.plugin"}  # to start


def second(first: str, then: str = "pass") -> str:
    """A test that knows by a file beside it whether it has run before."""
    return f"""\
import os, pytest
from pathlib import Path

def test_at_the_second_time():
    seen = Path(__file__).with_suffix(".seen")
    before = seen.exists()
    seen.touch()
    if not before:
        {first}
    {then}
"""


ONCE = second("assert False")


def run(
    folder: Path, *files: str, processes: int = 0, given: tuple[str, ...] = ()
) -> tuple[int, str]:
    """The exit code of a suite of these files, and what it said."""
    for number, content in enumerate(files):
        (folder / f"test_{number}.py").write_text(content, encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    command = [sys.executable, str(ROOT / "scripts" / "run_tests.py"), str(processes)]
    ended = subprocess.run(
        [*command, *given],
        cwd=folder,
        env=environment | FAST | {"PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
    )
    return ended.returncode, ended.stdout


def test_what_fails_beside_others_and_passes_alone_is_named_at_the_end(tmp_path: Path) -> None:
    code, said = run(tmp_path, PASSES, ONCE, ONCE)

    assert code == 0
    assert "2 passed" in said.partition("Once more, alone")[2]
    named = said.partition("UNSTEADY")[2]
    assert "test_1.py::test_at_the_second_time" in named
    assert "test_2.py::test_at_the_second_time" in named


def test_of_tests_that_pass_nothing_is_said(tmp_path: Path) -> None:
    code, said = run(tmp_path, PASSES)

    assert (code, "Once more" in said, "UNSTEADY" in said) == (0, False, False)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ((ONCE, FAILS), 1),
        ((second("assert False", then="pytest.skip()"),), 1),
        ((ONCE, second("assert False", then="os._exit(0)")), 1),
        ((ONCE, second("assert False", then="raise KeyboardInterrupt")), 2),
        ((ONCE,) * (MOST + 1), 1),
        ((ONCE, INTERRUPTED), 2),
        ((), 5),
    ],
    ids=["one of two", "skips", "ends", "stops", "many", "interrupted", "nothing"],
)
def test_nothing_else_is_forgiven(tmp_path: Path, files: tuple[str, ...], expected: int) -> None:
    code, said = run(tmp_path, *files)

    assert (code, "UNSTEADY" in said) == (expected, False)


@pytest.mark.parametrize("broken", [second("os._exit(1)"), UNKNOWN], ids=["crash", "import"])
def test_what_is_no_failure_of_a_test_is_not_tried_again(tmp_path: Path, broken: str) -> None:
    """From xdist, both exit as if a test had failed."""
    code, said = run(tmp_path, ONCE, broken, processes=2)

    assert (code, "Once more" in said) == (1, False)


def test_who_runs_a_part_sees_it_fail(tmp_path: Path) -> None:
    code, said = run(tmp_path, ONCE, given=("-k", "second"))

    assert (code, "Once more" in said) == (1, False)
