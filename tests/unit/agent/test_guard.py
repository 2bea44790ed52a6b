"""What the agent does not go on after."""

import subprocess
import sys
from collections import Counter

import pytest

from agent.shell.guard import guarded

WORDS = "anna.berg@example.org"
FAILING_THREAD = f"""
import time
from threading import Thread
from agent.shell.guard import no_thread_fails_alone

def fail():
    raise {{}}("{WORDS}")

no_thread_fails_alone()
Thread(target=fail).start()
time.sleep({{}})
"""

SHORT_OF_MEMORY = """
import resource
from collections import Counter
from pathlib import Path
from agent.shell.guard import guarded

status = Path("/proc/self/status").read_text().split()
has = int(status[status.index("VmData:") + 1]) * 1024
resource.setrlimit(resource.RLIMIT_DATA, (has + 1_048_576, has + 1_048_576))
guarded(lambda: bytes(2_097_152), Counter())
"""


def raising(error: Exception) -> None:
    raise error


def test_a_mistake_is_counted_and_not_told_with_its_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    counters: Counter[str] = Counter()

    guarded(lambda: raising(ValueError(WORDS)), counters)

    assert counters == {"unexpected_errors": 1}
    assert "ValueError; the agent goes on" in caplog.text
    assert WORDS not in caplog.text


def test_one_thing_that_was_too_large_for_the_memory_is_one_mistake() -> None:
    counters: Counter[str] = Counter()

    guarded(lambda: raising(MemoryError()), counters)

    assert counters == {"unexpected_errors": 1}


def test_memory_that_is_not_there_ends_the_agent() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SHORT_OF_MEMORY],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.rstrip().endswith("MemoryError")


@pytest.mark.parametrize(
    ("error", "alive_s", "code", "said"),
    [("ValueError", 60, 1, "ValueError in thread"), ("SystemExit", 0.2, 0, "")],
)
def test_a_thread_that_fails_ends_the_process(
    error: str, alive_s: float, code: int, said: str
) -> None:
    words = [sys.executable, "-c", FAILING_THREAD.format(error, alive_s)]

    done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)

    assert done.returncode == code
    assert said in done.stderr
    assert WORDS not in done.stderr
