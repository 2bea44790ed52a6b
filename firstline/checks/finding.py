"""What a check says."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """How it stands."""

    OK = "ok"
    WARN = "warn"  # works, but not as well as it could
    FAIL = "fail"  # does not work


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's result."""

    name: str
    state: State
    seen: str
    fix: str = ""  # a command to type, or what to change; empty where nothing is wrong


def ok(name: str, seen: str) -> Finding:
    """Nothing is wrong."""
    return Finding(name, State.OK, seen)


def warn(name: str, seen: str, fix: str) -> Finding:
    """It works, but not as well as it could."""
    return Finding(name, State.WARN, seen, fix)


def fail(name: str, seen: str, fix: str) -> Finding:
    """It does not work."""
    return Finding(name, State.FAIL, seen, fix)
