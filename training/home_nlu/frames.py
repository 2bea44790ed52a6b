"""What the model reads and writes: an utterance, and the frame of its meaning as JSON.

Frame("home/nlu", "wake me at 5 am", "alarm_set", (("time", "5 am"),))
{"intent": "alarm_set", "slots": {"time": "5 am"}}
"""

import csv
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

HOME, SNIPS = "home/nlu", "home/snips"
DOMAINS = (HOME, SNIPS)
_SLOT = re.compile(r"\[\s*([A-Za-z_]+)\s*:\s*([^\]]+?)\s*\]")
_HELD_OUT_SHARE = 10  # one Snips text of ten is for validation; Snips has no split of its own


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of an utterance; the slot is empty where it fills none."""

    slot: str
    text: str


@dataclass(frozen=True, slots=True)
class Frame:
    """One utterance and what it means."""

    domain: str
    intent: str
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The utterance."""
        return "".join(part.text for part in self.parts)

    @property
    def slots(self) -> tuple[tuple[str, str], ...]:
        """The (slot, value) pairs in the order of the utterance."""
        return tuple((part.slot, part.text) for part in self.parts if part.slot)

    @property
    def grouped(self) -> dict[str, list[str]]:
        """The values of each slot, slots in the order of their first value."""
        found: dict[str, list[str]] = {}
        for slot, value in self.slots:
            found.setdefault(slot, []).append(value)
        return found

    @property
    def answer(self) -> str:
        """The JSON that the model is to write."""
        slots = {
            slot: values[0] if len(values) == 1 else values for slot, values in self.grouped.items()
        }
        return json.dumps({"intent": self.intent, "slots": slots}, ensure_ascii=False)


def parts_of(annotation: str) -> tuple[Part, ...]:
    """Cut an annotated sentence, `wake me at [time : 5 am]`, into its parts."""
    parts: list[Part] = []
    at = 0
    for match in _SLOT.finditer(annotation):
        if match.start() > at:
            parts.append(Part("", annotation[at : match.start()]))
        parts.append(Part(match[1], match[2]))
        at = match.end()
    return (*parts, Part("", annotation[at:])) if at < len(annotation) else tuple(parts)


def read(data: Path) -> tuple[list[Frame], list[Frame]]:
    """Read the (training, validation) frames of both domains; no text is in both."""
    training = _rows(data / "hwu64" / "train.csv", HOME)
    judged = _rows(data / "hwu64" / "validation.csv", HOME)
    for frame in _rows(data / "snips" / "train.csv", SNIPS):
        (judged if _is_held_out(frame.text) else training).append(frame)
    return training, judged


def _is_held_out(text: str) -> bool:
    # By the words alone: Snips repeats sentences, and a repeat must fall on the same side.
    words = " ".join(text.lower().split())
    return hashlib.sha256(words.encode()).digest()[0] % _HELD_OUT_SHARE == 0


def _rows(path: Path, domain: str) -> list[Frame]:
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Frame(domain, row["intent"], parts_of(row["annotation"]))
            for row in csv.DictReader(file)
        ]
