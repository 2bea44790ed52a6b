"""Sentences with known spans, from templates: `python -m training.names.fill --count 20`.

    template --values--> pieces --case, slips--> text and spans

The same seed gives the same sentences. Word lists lie in FIRSTLINE_DATA/pii; names, companies and
numbers come from Faker in some seventy locales.
"""

import argparse
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path

from training.names.noise import noisy
from training.names.sentence import Piece, Sentence, assembled
from training.names.templates import FOLDER, LABELS, Template, chosen, parts, read_templates
from training.names.values import Values


class Filler:
    """Fills templates; reproducible from its seed."""

    def __init__(self, data: Path, *, seed: int) -> None:
        self._choice = random.Random(seed)  # noqa: S311
        self._values = Values(data, self._choice)

    def fill(self, template: Template, *, clean: bool = False) -> Sentence:
        """Fill one template; `clean` leaves out changed cases and slips."""
        drawn = self._values.sentence()
        pieces = [
            Piece(part, None)
            if isinstance(part, str)
            else Piece(drawn.value(part), LABELS[part.name])
            for part in parts(chosen(template.text, self._choice.choice))
        ]
        return assembled(pieces if clean else noisy(pieces, self._choice), template.identity)

    def sentences(
        self, count: int, templates: list[Template], *, negative_share: float = 0.2
    ) -> Iterator[Sentence]:
        """Fill `count` templates, every one about as often as the others of its kind."""
        kinds = {
            kind: [one for one in templates if one.is_negative is kind] for kind in (True, False)
        }
        waiting: dict[bool, list[Template]] = {True: [], False: []}
        for _ in range(count):
            kind = self._choice.random() < negative_share
            if not waiting[kind]:
                waiting[kind] = self._choice.sample(kinds[kind], k=len(kinds[kind]))
            yield self.fill(waiting[kind].pop())


def main() -> None:
    """Print sentences, one JSON object a line."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    data = os.environ.get("FIRSTLINE_DATA")
    parser.add_argument("--data", type=Path, default=data, required=data is None)
    arguments = parser.parse_args()
    filler = Filler(arguments.data, seed=arguments.seed)
    for sentence in filler.sentences(arguments.count, read_templates(FOLDER)):
        marks = [[mark.start, mark.end, mark.label] for mark in sentence.marks]
        print(
            json.dumps(
                {"text": sentence.text, "marks": marks, "template": sentence.template},
                ensure_ascii=False,
            )
        )


if __name__ == "__main__":
    main()
