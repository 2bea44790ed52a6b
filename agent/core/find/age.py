"""Ages: the number alone, as in "a 79 year old", "31 y/o", "turned 60", "aged 5", "age: 33"."""

import re
from collections.abc import Iterable, Iterator

from agent.stages import Span

_NUMBER = re.compile(r"[0-9](?<![0-9a-z.,:/$-].)[0-9]{0,2}(?![0-9:]|[.,/-][0-9])")
_OLDEST = 119
_OLD = re.compile(
    r"[ -]?(?:(?:year|yr|month|mo|week|day)s?\.?[ -](?:olds?|of age)|y/?o(?![a-z])|y\.o\.)(?![a-z])"
)
_AGED = re.compile(
    r"(?<![a-z])(?:aged?|ages|age of|turn(?:ed|ing)|birthday)"
    r"[\"']?[ ]?[:=-]?[ ]?(?:is |was |now |just )?$"
)
_BEING = re.compile(
    r"(?<![a-z])(?:i'?m|i am|i was|(?:she|he)(?:'s| is| was| will be)|who (?:is|was)|they were)"
    r" (?:only |just |now |about |almost |nearly |over )?$"
)
_ENDS = re.compile(r"[.,;!?)](?![0-9])|$| (?:and|but|now|when|so|or|with)(?![a-z])")
_UNIT = re.compile(r" ?(?:%|°|degrees?|percent|times|k?m|miles?|out of)(?![a-z])")
_WINDOW = 24  # characters before


def find_ages(_plain: str, lower: str, _here: Iterable[str]) -> Iterator[Span]:
    """Find how old somebody is."""
    for match in _NUMBER.finditer(lower):
        start, end = match.span()
        if int(match[0]) <= _OLDEST and (score := _score(lower, start, end)):
            yield Span(start, end, "AGE", score, "age")


def _score(lower: str, start: int, end: int) -> float:
    if _OLD.match(lower, end):
        return 0.95
    before = lower[max(0, start - _WINDOW) : start]
    if _AGED.search(before) and not _UNIT.match(lower, end):
        return 0.8
    return 0.6 if _BEING.search(before) and _ENDS.match(lower, end) else 0.0
