"""Trains the model of names, and writes the folder that an agent opens.

lists, MiniLM's words --> lexicon.bin -.
templates, public sets --> samples --> rows of attributes --L-BFGS--> model.crf
"""

import hashlib
import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pycrfsuite import Trainer

from agent.core.find.features import Reader
from agent.core.find.lexicon import pack
from training.names import lists
from training.names.clusters import classes
from training.names.fill import Filler
from training.names.samples import LABELS, Sample
from training.names.sequences import sequence
from training.names.templates import FOLDER, read_templates

MODEL, LEXICON, DESCRIPTION = "model.crf", "lexicon.bin", "names.toml"
# L1 leaves out what hardly helps, so the file is small; the rounds are where held-out texts
# stopped to gain.
_SETTINGS = {"c1": 0.5, "c2": 0.01, "max_iterations": 70}
_NEGATIVE_SHARE = 0.2
PRESIDIO_COPIES = 3  # few texts, of the kind that the final figures are taken on


def lexicon(data: Path, minilm: Path) -> bytes:
    """Make the lexicon's file."""
    kinds, groups = lists.read(data), classes(minilm)
    words = kinds.keys() | groups.keys()
    return pack({word: (kinds.get(word, ""), groups.get(word, 0)) for word in words})


def generated(data: Path, count: int, seed: int = 1) -> list[Sample]:
    """Fill templates; of one template, one number."""
    templates = read_templates(FOLDER)
    numbers = {template.identity: number for number, template in enumerate(templates)}
    filled = Filler(data, seed=seed).sentences(count, templates, negative_share=_NEGATIVE_SHARE)
    return [
        Sample(
            each.text,
            tuple(
                (mark.start, mark.end, mark.label) for mark in each.marks if mark.label in LABELS
            ),
            numbers[each.template],
        )
        for each in filled
    ]


def train(chosen: Sequence[Sample], reader: Reader, path: Path) -> None:
    """Fit a CRF to samples."""
    trainer = Trainer(algorithm="lbfgs", verbose=False)
    trainer.set_params(_SETTINGS)
    for sample in chosen:
        rows, labels = sequence(sample, reader)
        if rows:
            trainer.append(rows, labels)
    trainer.train(str(path))


def in_other_cases(chosen: Iterable[Sample], share: float, seed: int = 3) -> list[Sample]:
    """Copy a share of the samples in capitals, in lower case, and with Every Word Capitalised."""
    choice = random.Random(seed)  # noqa: S311
    changes = (str.upper, str.lower, str.lower, _capitalised)
    copies = []
    for sample in chosen:
        if choice.random() < share:
            text = choice.choice(changes)(sample.text)
            if len(text) == len(sample.text):  # a few letters have capitals of two
                copies.append(Sample(text, sample.spans, sample.template))
    return copies


def _capitalised(text: str) -> str:
    return " ".join(word[:1].upper() + word[1:] for word in text.split(" "))


def describe(folder: Path, figures: Mapping[str, float]) -> None:
    """Write names.toml: what the files are, and what they were made of."""
    hashes = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in (MODEL, LEXICON)
    }
    rows = [
        'language = "en"',
        'version = "1.0.0"',
        'licence = "Apache-2.0"',
        f"labels = {list(LABELS)!r}".replace("'", '"'),
        "",
        "[files]  # SHA-256",
        *(f'"{name}" = "{digest}"' for name, digest in hashes.items()),
        "",
        "[training]",
        f'data = "{_DATA}"',
        f'licence = "{_LICENCES}"',
        'command = "python -m training.names --data DIR --out DIR"',
        "",
        "[training.figures]",
        *(f"{name} = {value}" for name, value in figures.items()),
    ]
    (folder / DESCRIPTION).write_text("\n".join(rows) + "\n", encoding="utf-8")


_DATA = (
    "sentences made of our own templates with Faker's values; presidio-research synth_dataset_v2"
    " (even templates), wikigold, WNUT17 (train, dev), HWU64, SNIPS, CLINC150 (train); word lists"
    " of random-name, popular-names, world-cities and Faker; classes of words from MiniLM-L6-v2"
)
_LICENCES = (
    "Faker MIT; presidio-research MIT; wikigold, WNUT17 CC BY 4.0; HWU64 CC BY 4.0, SNIPS CC0 1.0,"
    " CLINC150 CC BY 3.0; random-name MIT, popular-names CC0 1.0, world-cities CC BY 4.0"
    " (GeoNames); MiniLM-L6-v2 Apache-2.0"
)
