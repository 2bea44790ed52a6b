"""The public data sets as typed values. Validation never reaches a model or a vocabulary."""

import argparse
import csv
import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from broker.package.calibrate import Case
from broker.wire.payload import Text

HOME, ASSISTANT = "home", "assistant"
DOMAINS = (HOME, ASSISTANT)
OUT_OF_SCOPE = "oos"
_FOLDERS = {HOME: "hwu64", ASSISTANT: "clinc150"}
_SLOT = re.compile(r"\[\s*([A-Za-z_]+)\s*:\s*([^\]]+?)\s*\]")
_SELECTION_SHARE = 10  # one text of ten is held out of training while a design is chosen


@dataclass(frozen=True, slots=True)
class Example:
    """One labelled sentence; the annotation names its slots where the data set has them."""

    text: str
    domain: str
    label: str
    annotation: str = ""


def arguments(description: str) -> argparse.ArgumentParser:
    """Build the parser that every training command shares."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, default=os.environ.get("FIRSTLINE_DATA", "data"))
    parser.add_argument("--out", type=Path, required=True, help="folder for packages and caches")
    return parser


def labelled(data: Path, domain: str, split: str) -> list[Example]:
    """Read one split ("train" or "validation") of a domain's data set."""
    with (data / _FOLDERS[domain] / f"{split}.csv").open(encoding="utf-8", newline="") as file:
        return [
            Example(row["text"], domain, row["intent"], row.get("annotation") or "")
            for row in csv.DictReader(file)
        ]


def cases(data: Path, domain: str) -> list[Case]:
    """Read a domain's validation split as a calibration takes it."""
    return [Case(Text(each.text), each.label) for each in labelled(data, domain, "validation")]


def labels_of(examples: list[Example]) -> list[str]:
    """List the labels in the order of a head's outputs."""
    return sorted({example.label for example in examples})


def is_held_out(example: Example) -> bool:
    """Tell, from the text alone, whether an example is kept for choosing between designs."""
    return hashlib.sha256(example.text.encode()).digest()[0] % _SELECTION_SHARE == 0


def slots(annotation: str) -> list[tuple[str, str]]:
    """List the (slot, value) pairs of an annotated sentence."""
    return _SLOT.findall(annotation)


def fill(annotation: str, value_of: dict[str, str]) -> str:
    """Write an annotated sentence with other slot values."""
    return _SLOT.sub(lambda match: value_of.get(match[1], match[2]), annotation)


def unlabelled(data: Path) -> list[str]:
    """Read sentences of other sets: music and booking requests, tweets, encyclopedia text."""
    with (data / "snips" / "train.csv").open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    return texts + tweets(data) + _conll(data / "pii" / "wikigold" / "wikigold.conll.txt")


def tweets(data: Path) -> list[str]:
    """Read sentences that no command data set covers."""
    return _conll(data / "pii" / "wnut17" / "wnut17train.conll")


def _conll(path: Path) -> list[str]:
    blocks = re.split(r"\n\s*\n", path.read_text(encoding="utf-8"))
    return [" ".join(line.split()[0] for line in b.splitlines() if line.split()) for b in blocks]
