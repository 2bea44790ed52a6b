"""Is an answer right? Labels by name, numbers within the tolerance, JSON by its value.

Of a JSON object only what the label names counts: {"intent": "play"} asks for no slots.
"""

import json
import math

from broker.package.errors import InputMismatchError
from broker.package.heads import Head, NumberHead, TextHead


def is_right(head: Head, answer: str, label: str) -> bool:
    """Compare what a model said with what was true.

    Raises:
        InputMismatchError: the label of a number is no number.
    """
    match head:
        case NumberHead():
            return _within(head.tolerance, answer, label)
        case TextHead(labels=()):
            return _holds(_value(answer), _value(label))
        case _:
            return answer == label


def _within(tolerance: float, answer: str, label: str) -> bool:
    try:
        truth = float(label)
    except ValueError:
        truth = math.nan
    if not math.isfinite(truth):
        raise InputMismatchError("the label of a number must be a finite number")
    return abs(float(answer) - truth) <= tolerance


def _holds(said: object, wanted: object) -> bool:
    if isinstance(said, dict) and isinstance(wanted, dict):
        return all(key in said and said[key] == value for key, value in wanted.items())
    return said == wanted


def _value(text: str) -> object:
    """What the text says: a JSON value whatever its spaces and the order of its keys."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text.strip()
