"""Which model answers which domain.

question.domain -> Instant | Engine -> Answer
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from broker.wire.messages import Answer, Question
from broker.wire.payload import split

# The second argument is monotonic time, seconds: after it nobody waits. Raises UnfitQuestionError
# for what it can never answer, and SaturatedError for what it cannot answer now.
Complete = Callable[[Question, float], Answer]
Ready = Callable[[], bool]


def _always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Kind:
    """What a model is called in metrics (OpenTelemetry, semantic conventions for GenAI)."""

    operation: str = "inference"  # gen_ai.operation.name
    provider: str = "firstline"  # gen_ai.provider.name: who runs it


# Tokens that a model read and wrote for one answer; called on any thread.
CountTokens = Callable[[Kind, str, int, int], None]


def uncounted(_kind: Kind, _model: str, _asked: int, _said: int) -> None:
    """Count nothing."""


@dataclass(frozen=True, slots=True)
class Instant:
    """Answers faster than a thread wakes up, so it runs in the loop itself."""

    model: str  # name and version
    complete: Complete
    kind: Kind = Kind()


@dataclass(frozen=True, slots=True, eq=False)
class Engine:
    """Takes its time, so it runs in threads of its own, which no other engine waits for.

    One engine may answer several domains. Must bear as many calls at once as it has threads.
    """

    model: str  # name and version
    complete: Complete
    concurrency: int = 1  # questions answered at once
    ready: Ready = _always  # whether a question put now can be answered, as far as is known
    kind: Kind = Kind()


Completer = Instant | Engine
Completers = Mapping[str, Completer]  # by domain


def engines_of(completers: Completers) -> tuple[Engine, ...]:
    """Each engine once, however many domains it answers."""
    return tuple(dict.fromkeys(each for each in completers.values() if isinstance(each, Engine)))


def echo() -> Instant:
    """Say what was asked: for benchmarks, which measure everything but a model."""
    return Instant("echo 1", _repeat)


def _repeat(question: Question, _deadline_s: float) -> Answer:
    _, content = split(question.payload)
    return Answer(content.decode("utf-8", "replace"), "echo 1", 1.0)
