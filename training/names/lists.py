"""Word lists -> the kinds of each word: what the lexicon is made of.

From Faker's providers (MIT), random-name (MIT), popular-names (CC0) and world-cities (CC BY 4.0).
A name of several words counts for each of them, but for words such as "of".
"""

import csv
import importlib
import pkgutil
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from faker import providers

from training.names.words import words

_WORDS = re.compile(r"[^\W\d_]+")
_SMALL = frozenset(
    (
        *(
            "of",
            "the",
            "and",
            "de",
            "la",
            "le",
            "les",
            "di",
            "da",
            "do",
            "dos",
            "das",
            "del",
            "der",
        ),
        *(
            "den",
            "van",
            "von",
            "el",
            "al",
            "du",
            "des",
            "y",
            "e",
            "i",
            "in",
            "on",
            "upon",
            "at",
            "a",
        ),
        *("an", "to", "for", "with", "by", "or", "is", "as", "st", "no", "not", "all", "other"),
    )
)
_LATIN_GREEK_CYRILLIC_END = "\u0530"  # other scripts have no spaces, or no training texts
_FORMAT = re.compile(r"\{\{|[#?%]")  # a format, not a value
# What a provider's attribute holds: its name begins so.
_ATTRIBUTES = {
    "person": {"first_name": "F", "last_name": "L"},
    "address": {
        "cit": "C", "town": "C", "village": "C", "municipalit": "C", "state": "C", "province": "C",
        "region": "C", "countr": "N", "street_suffix": "S", "street_prefix": "S",
        "street_title": "S",
        "street_name": "L", "building": "S",
    },
    "company": {"company_suffix": "O", "company_category": "O", "large_compan": "O"},
    "job": {"jobs": "J"},
}  # fmt: skip
_SKIPPED = ("_abbr", "_format", "_code", "_latlong", "_prefix_weight")


def read(data: Path) -> dict[str, str]:
    """Collect the kinds of every known word, in lower case."""
    kinds: dict[str, set[str]] = defaultdict(set)
    for kind, names in (*_files(data), *_faker(), *_own()):
        for name in names:
            for word in _WORDS.findall(name.lower()):
                if word not in _SMALL and len(word) > 1 and word[0] < _LATIN_GREEK_CYRILLIC_END:
                    kinds[word].add(kind)
    return {word: "".join(sorted(found)) for word, found in kinds.items()}


def _files(data: Path) -> Iterator[tuple[str, Iterable[str]]]:
    pii = data / "pii"
    yield "F", (pii / "random-name" / "first-names.txt").read_text("utf-8").splitlines()
    yield "L", (pii / "random-name" / "names.txt").read_text("utf-8").splitlines()
    yield "C", (pii / "random-name" / "places.txt").read_text("utf-8").splitlines()
    for kind, file in (("F", "common-forenames-by-country"), ("L", "common-surnames-by-country")):
        rows = _rows(pii / "popular-names" / f"{file}.csv")
        for row in rows:
            yield kind, (row["Localized Name"], row["Romanized Name"])
    for row in _rows(pii / "world-cities" / "world-cities.csv"):
        yield "C", (row["name"], row["subcountry"])
        yield "N", (row["country"],)


def _own() -> Iterator[tuple[str, Iterable[str]]]:
    """Read the lists that the templates are filled from."""
    yield "G", groups()
    people, organisations = words("people"), words("organisations")
    yield "J", (*people["jobs"], *people["titles"], *words("jobs")["roles"])
    yield "O", (*organisations["things"], *organisations["legal"])
    places = words("places")
    yield "N", places["also_countries"]
    yield "C", places["regions"]
    yield "S", (*places["street_ends"], *places["po_boxes"])


def groups() -> tuple[str, ...]:
    """List nationalities, religions and political groups."""
    return tuple(name for names in words("groups").values() for name in names)


def _rows(path: Path) -> list[Mapping[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _faker() -> Iterator[tuple[str, Iterable[str]]]:
    """Read the providers' lists, for every locale."""
    for provider, wanted in _ATTRIBUTES.items():
        package = importlib.import_module(f"{providers.__name__}.{provider}")
        names = [module.name for module in pkgutil.iter_modules(package.__path__)]
        if provider in ("company", "job"):  # only words that a text in English has
            names = [name for name in names if name.startswith("en_")]
        for module in (
            package,
            *(importlib.import_module(f"{package.__name__}.{n}") for n in names),
        ):
            for attribute, value in vars(module.Provider).items():
                kind = next((k for start, k in wanted.items() if attribute.startswith(start)), None)
                if kind and not attribute.endswith(_SKIPPED):
                    yield kind, _strings(value)


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        if not _FORMAT.search(value):
            yield value
    elif isinstance(value, (Mapping, tuple, list, set, frozenset)):
        for each in value:
            yield from _strings(each)
