"""What the two language models say of themselves."""

from dataclasses import dataclass
from typing import Final

_BOTH: Final = """
Reads a home command and writes what it means as JSON, always valid by the grammar:
`{"intent": "alarm_set", "slots": {"time": "5 am"}}`; a slot that occurs twice has a list. Two
domains: `home/nlu` with HWU64's 64 intents, `home/snips` with the 7 of Snips.
"""
_DATA: Final = (
    "HWU64 (xliuhw/NLU-Evaluation-Data), train split; Snips 2017-06 (sonos/nlu-benchmark), nine "
    "tenths; unlabelled: CLINC150 (clinc/oos-eval), wikigold, WNUT17; names: "
    "dominictarr/random-name, datasets/world-cities; MiniLM-L6-v2 word vectors; "
    "intents of made sentences by commands-large"
)


@dataclass(frozen=True, slots=True)
class Cover:
    """What a package says of itself."""

    name: str
    parent: str
    command: str
    data: str
    card: str  # Markdown


SMALL: Final = Cover(
    name="home-nlu",
    parent="home-nlu-large",
    command="python -m training.home_nlu --data DIR --out DIR",
    data=_DATA,
    card=f"""{_BOTH}
A Llama of 4 layers, 256 wide, trained from scratch. The score is the product of the tokens'
probabilities, since an answer is right only as a whole. English; placeholders such as `<EMAIL_1>`
are copied like any value.
""",
)
LARGE: Final = Cover(
    name="home-nlu-large",
    parent="",
    command="python -m training.home_nlu.further --data DIR --out DIR",
    data=f"{_DATA}; slots of made sentences by a fine-tuned MiniLM-L6-v2",
    card=f"""{_BOTH}
A Llama of 8 layers, 256 wide: home-nlu with layers doubled by copies that added nothing at first,
trained on with the answers of a MiniLM that marks slots.
""",
)
