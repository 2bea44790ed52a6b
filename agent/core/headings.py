"""Personal data in the names of fields and channels, where there is no sentence around a word.

    given by the settings or the model     only what has an unmistakable form
    others                                 what the rules find, and what is all but surely a name

T24, lane and Paris are what a model calls its columns; "patients.Maria Lopez.pulse" is a path.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from agent.core.find.overlap import settle
from agent.core.policy import MaskRules
from agent.stages import FindSpans, Span

_UNMISTAKABLE = frozenset(
    ("EMAIL", "PHONE", "CARD", "IBAN", "IP", "MAC", "URL", "SSN", "SECRET", "CRYPTO", "IMEI")
)
_SHORT = 16  # characters; one word as short as HPC_outlet has none of these forms
_GUESSED = frozenset(("PERSON", "LOCATION", "ORG", "TITLE", "GROUP"))
_CERTAIN = 0.95  # lane, yaw and ward are people's names too
_PART = re.compile(r"[^._]+")  # of a path, and of words that hang together


def in_heading(name: str, find: FindSpans, rules: MaskRules) -> Sequence[Span]:
    """Find what is personal in the name of a field or a channel."""
    if name in rules.names:
        if len(name) < _SHORT and name.isidentifier():
            return ()
        spans = [span for span in find(name) if span.label in _UNMISTAKABLE]
    else:
        spans = [span for span in find(name) if span.label not in _GUESSED]
        spans += _guessed(name, find)
    if "://" not in name:  # owner.name is a path, not a host
        spans = [span for span in spans if span.label != "URL"]
    return settle(name, spans)


def _guessed(name: str, find: FindSpans) -> Iterator[Span]:
    for part in _PART.finditer(name):
        for span in find(part[0]):
            if span.label in _GUESSED and span.score >= _CERTAIN:
                at = part.start()
                yield replace(span, start=span.start + at, end=span.end + at)
