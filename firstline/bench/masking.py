"""How much of what is personal is found, how fast, and in how much memory.

file --read_cases--> texts --> masking_child (a process) --> spans, ms, rss_mb, init_s
                       `------ labels ------> scores <---------'
"""

import json
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from firstline.bench.figures import percentile
from firstline.bench.masking_data import KNOWN, PATTERNS, Case, Marked, type_of
from firstline.bench.masking_scores import Score, Tally, count_by_words, count_strictly
from firstline.exits import CommandError

OURS = (sys.executable, "-m", "firstline.bench.masking_child")
_ANY = "PII"


@dataclass(frozen=True, slots=True)
class Measured:
    """What a process that finds tells of itself, and its spans of each text."""

    init_s: float
    rss_mb: float
    ms: Sequence[float]  # one for each text
    found: Sequence[Sequence[Marked]]


@dataclass(frozen=True, slots=True)
class Masking:
    """The figures. Shares are between 0 and 1."""

    texts: int
    spans: int
    per_type: dict[str, Score]  # strict
    pattern8_f2: float  # strict, the eight types with a form of their own together
    person_f2: float  # by words
    pii_f2: float  # by words, whatever the type
    person_strict_f2: float
    pii_strict_f2: float
    covered: float  # share of labelled characters that something found covers
    needless: float  # share of found characters that no label covers
    ms_mean: float  # per text, the better of two passes
    ms_p99: float
    rss_mb: float  # 1e6 bytes, of the whole process, after all texts
    init_s: float  # imports, models and a first text
    unusable_spans: int  # labels without a character, or outside of their text; left out
    unknown_types: dict[str, int]  # labels of the data that no type of ours is meant to find


def measure(cases: Sequence[Case], command: Sequence[str] = OURS) -> Measured:
    """Have a fresh process find what is personal in every text.

    Raises:
        CommandError: it failed.
    """
    texts = json.dumps([case.text for case in cases])
    done = subprocess.run(command, input=texts, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603 - our own module, or the caller's program
    if done.returncode:
        raise CommandError(f"the process that finds ended with code {done.returncode}")
    told = json.loads(done.stdout)
    found = [
        [Marked(start, end, type_of(label), rule) for start, end, label, rule in spans]
        for spans in told["spans"]
    ]
    return Measured(told["init_s"], told["rss_mb"], told["ms"], found)


def judge(cases: Sequence[Case], measured: Measured) -> Masking:
    """Compare what was found with the labels."""
    strict, strict_any, words, words_any = Tally(), Tally(), Tally(), Tally()
    characters: Counter[str] = Counter()
    for case, found in zip(cases, measured.found, strict=True):
        count_strictly(strict, case.spans, found)
        count_strictly(strict_any, _untyped(case.spans), _untyped(found))
        count_by_words(words, case.text, case.spans, found)
        count_by_words(words_any, case.text, _untyped(case.spans), _untyped(found))
        characters.update(_characters(case, found))
    types = Counter(span.type for case in cases for span in case.spans)
    return Masking(
        texts=len(cases),
        spans=types.total(),
        per_type={each: strict.score([each]) for each in strict.types()},
        pattern8_f2=strict.score(PATTERNS).f2,
        person_f2=words.score(["PERSON"]).f2,
        pii_f2=words_any.score([_ANY]).f2,
        person_strict_f2=strict.score(["PERSON"]).f2,
        pii_strict_f2=strict_any.score([_ANY]).f2,
        covered=characters["both"] / max(1, characters["labelled"]),
        needless=1 - characters["both"] / max(1, characters["found"]),
        ms_mean=statistics.fmean(measured.ms),
        ms_p99=percentile(measured.ms, 0.99),
        rss_mb=measured.rss_mb,
        init_s=measured.init_s,
        unusable_spans=sum(case.unusable for case in cases),
        unknown_types={each: count for each, count in types.items() if each not in KNOWN},
    )


def document(found: Masking) -> dict[str, object]:
    """Give the figures as JSON does, rounded to what they can tell."""
    return {name: _rounded(value) for name, value in asdict(found).items()}


def _rounded(value: object) -> object:
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    return round(value, 4) if isinstance(value, float) else value


def _untyped(spans: Sequence[Marked]) -> list[Marked]:
    return [Marked(span.start, span.end, _ANY) for span in spans]


def _characters(case: Case, found: Sequence[Marked]) -> dict[str, int]:
    """Count characters that are labelled, found, and both; white space tells nothing."""
    places = {place for place, character in enumerate(case.text) if not character.isspace()}
    labelled = places & _places(case.spans)
    got = places & _places(found)
    return {"labelled": len(labelled), "found": len(got), "both": len(labelled & got)}


def _places(spans: Sequence[Marked]) -> set[int]:
    return {place for span in spans for place in range(span.start, span.end)}
