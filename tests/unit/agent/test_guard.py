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


def test_memory_that_is_not_there_ends_the_agent() -> None:
    with pytest.raises(MemoryError):
        guarded(lambda: raising(MemoryError()), Counter())


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
