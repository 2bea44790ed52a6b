"""Labelled texts from public sets, as one kind of value: the text and its spans in our labels."""

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from training.names.lists import groups

PRESIDIO = Path("pii") / "presidio_research_v2_dev.json"
LABELS = ("PERSON", "LOCATION", "ORG", "ADDRESS", "TITLE", "GROUP")
_PRESIDIO = {
    "PERSON": "PERSON",
    "GPE": "LOCATION",
    "ORGANIZATION": "ORG",
    "STREET_ADDRESS": "ADDRESS",
    "TITLE": "TITLE",
    "NRP": "GROUP",
}
_CONLL = {
    "person": "PERSON",
    "PER": "PERSON",
    "location": "LOCATION",
    "LOC": "LOCATION",
    "corporation": "ORG",
    "group": "ORG",
    "ORG": "ORG",
}
_SLOT = re.compile(r"\[\s*([A-Za-z_]+)\s*:\s*([^\]]+?)\s*\]")
_HOME_SLOTS = {
    "person": "PERSON",
    "artist_name": "PERSON",
    "audiobook_author": "PERSON",
    "place_name": "LOCATION",
    "business_name": "ORG",
    "transport_agency": "ORG",
}
_UNCLEAR_SLOTS = ("news_topic", "definition_word", "media_type", "radio_name", "event_name")
_SNIPS_INTENTS = ("GetWeather", "RateBook", "SearchCreativeWork")
_SNIPS_SLOTS = {
    "city": "LOCATION",
    "state": "LOCATION",
    "country": "LOCATION",
    "geographic_poi": "LOCATION",
}
# Their texts name places and people that no annotation tells.
_PLACES_INTENTS = (
    *("translate", "travel", "flight", "book", "timezone", "weather", "exchange", "name", "who"),
    *("traffic", "directions", "distance", "visa", "vaccines", "car_rental", "international"),
    *("bank", "transfer", "routing", "restaurant", "lost", "plug", "oos", "recipe", "text", "call"),
    *("hobbies", "greeting", "where", "shopping", "order", "balance", "bill", "freeze", "spending"),
)
_TIGHT_BEFORE = re.compile(r"^(?:[.,;:!?%)\]}'\u2019]|'s|n't|'ve|'m|'re|'ll|'d)")
_TIGHT_AFTER = ("(", "[", "{", "$", "#", "'", "\u2019")


@dataclass(frozen=True, slots=True)
class Sample:
    """A text and its spans: [start, end) and a label of `LABELS`."""

    text: str
    spans: tuple[tuple[int, int, str], ...]
    template: int = -1  # samples of one template are alike: never on both sides of a split


def presidio(data: Path) -> list[Sample]:
    """Read the development half of presidio-research's synthetic texts."""
    rows = json.loads((data / PRESIDIO).read_text("utf-8"))
    return [
        Sample(
            row["full_text"],
            tuple(
                sorted(
                    (span["start_position"], span["end_position"], _PRESIDIO[span["entity_type"]])
                    for span in row["spans"]
                    if span["entity_type"] in _PRESIDIO
                )
            ),
            row["template_id"],
        )
        for row in rows
    ]


def wikigold(data: Path) -> list[Sample]:
    """Read sentences of an encyclopedia; nationalities are among its miscellaneous names."""
    named = frozenset(word.lower() for word in groups())
    return list(_conll(data / "pii" / "wikigold" / "wikigold.conll.txt", named))


def tweets(data: Path, split: str) -> list[Sample]:
    """Read tweets: split "train" or "dev"."""
    name = {"train": "wnut17train.conll", "dev": "emerging.dev.conll"}[split]
    return list(_conll(data / "pii" / "wnut17" / name, frozenset()))


def _conll(path: Path, named: frozenset[str]) -> Iterator[Sample]:
    for block in re.split(r"\n\s*\n", path.read_text("utf-8")):
        rows = [line.split() for line in block.splitlines() if line.strip()]
        if rows and rows[0][0] != "-DOCSTART-":
            yield _joined([row[0] for row in rows], [row[-1] for row in rows], named)


def _joined(words: list[str], tags: list[str], named: frozenset[str]) -> Sample:
    """Write words as people do, without spaces before a comma, and keep track of the labels."""
    text = ""
    spans: list[tuple[int, int, str]] = []
    before = "O"
    for word, tag in zip(words, tags, strict=True):
        if text and not _TIGHT_BEFORE.match(word) and not text.endswith(_TIGHT_AFTER):
            text += " "
        start = len(text)
        text += word
        kind = tag[2:]
        label = _CONLL.get(kind) or ("GROUP" if word.lower() in named else None)
        if label:
            if tag[0] == "I" and before[2:] == kind and spans:
                spans[-1] = (spans[-1][0], len(text), label)
            else:
                spans.append((start, len(text), label))
        before = tag
    return Sample(text, tuple(spans))


def commands(data: Path) -> list[Sample]:
    """Read requests to assistants, whose slots tell where names are."""
    home = [
        _annotated(row["annotation"], _HOME_SLOTS)
        for row in _rows(data / "hwu64" / "train.csv")
        if not any(slot in row["annotation"] for slot in _UNCLEAR_SLOTS)
    ]
    music = [
        _annotated(row["annotation"], _SNIPS_SLOTS)
        for row in _rows(data / "snips" / "train.csv")
        if row["intent"] in _SNIPS_INTENTS and "person" not in row["annotation"]
    ]
    plain = [
        Sample(row["text"], ())
        for row in _rows(data / "clinc150" / "train.csv")
        if not any(part in row["intent"] for part in _PLACES_INTENTS)
    ]
    return [*home, *music[::3], *plain[::2]]


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _annotated(annotation: str, labels: dict[str, str]) -> Sample:
    """Read "wake [person : emma] up"."""
    text, end = "", 0
    spans = []
    for match in _SLOT.finditer(annotation):
        text += annotation[end : match.start()]
        label = labels.get(match[1])
        if label:
            value = match[2].removesuffix("'s")
            spans.append((len(text), len(text) + len(value), label))
        text, end = text + match[2], match.end()
    return Sample(text + annotation[end:], tuple(spans))
