"""Labelled data for the models here, and the command that reads it."""

import json
import random
from collections.abc import Iterator
from pathlib import Path

from firstline import cli

LABELS = ("low", "mid", "high")
HEADER = "a,b,c,label"


def rows(count: int) -> Iterator[str]:
    """Records whose label is the largest number, the more often the clearer it is."""
    draw = random.Random(3)  # noqa: S311 - not for secrets
    for _ in range(count):
        clear = draw.uniform(0, 8)
        best = draw.randrange(3)
        numbers = [clear if n == best else 0.0 for n in range(3)]
        said = best if draw.random() < 0.4 + clear / 10 or clear > 5 else (best + 1) % 3
        yield ",".join([*map(str, numbers), LABELS[said]])


def window(**changes: object) -> str:
    shown = {"channels": ["x"], "rate_hz": 10, "samples": [[0.1], [0.2]], "label": "calm"}
    return json.dumps(shown | changes)


def written(folder: Path, *lines: str) -> Path:
    path = folder / "data.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def calibrate(package: Path | str, data: Path, *more: str) -> int:
    return cli.main(["model", "calibrate", str(package), "--data", str(data), *more])
