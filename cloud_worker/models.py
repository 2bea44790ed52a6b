"""Which model answers which domain.

question.domain -> Instant | Engine -> Answer
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from broker.wire.messages import Answer, Question
from broker.wire.payload import split

Complete = Callable[[Question], Answer]  # raises UnfitQuestionError for what it can never answer


@dataclass(frozen=True, slots=True)
class Instant:
    """Answers faster than a thread wakes up, so it runs in the loop itself."""

    model: str  # name and version
    complete: Complete


@dataclass(frozen=True, slots=True)
class Engine:
    """Takes its time, so it runs in an engine thread. Must bear several calls at once."""

    model: str  # name and version
    complete: Complete


Completer = Instant | Engine
Completers = Mapping[str, Completer]  # by domain


def echo() -> Instant:
    """Say what was asked: for benchmarks, which measure everything but a model."""
    return Instant("echo 1", _repeat)


def _repeat(question: Question) -> Answer:
    _, content = split(question.payload)
    return Answer(content.decode("utf-8", "replace"), "echo 1", 1.0)
