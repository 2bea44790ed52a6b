"""Train `home-nlu` and `home-nlu-large`, one after the other, and pack both.

python -m training.home_nlu --data DIR --out OUT

vocabulary, pool -> plateau -> decline -> home-nlu
                       `-> twice the layers -> plateau -> decline -> home-nlu-large
"""

import logging
from pathlib import Path

import torch

from training import data
from training.home_nlu import frames, package, pool, verify
from training.home_nlu.fit import Recipe, Teacher, fit
from training.home_nlu.frames import Frame
from training.home_nlu.grow import grown
from training.home_nlu.llama import Llama, Shape
from training.home_nlu.meaning import base_vectors
from training.home_nlu.package import Cover
from training.home_nlu.pool import Pool
from training.home_nlu.samples import Sample, batches, prompted, samples
from training.home_nlu.tokens import Encoder, Vocabulary, learn
from training.teachers import installed_minilm

_PIECES = 4_000
_SHAPE = Shape(width=256, depth=4, heads=4, hidden=704, context=package.CONTEXT)
_DROPOUT = 0.1
_TOKENS = 2_048  # of a batch
_DOUBLED = (1, 2)  # layers, in the large model
_CARD = """
Reads a home command and writes what it means as JSON, always valid by the grammar:
`{"intent": "alarm_set", "slots": {"time": "5 am"}}`; a slot that occurs twice has a list. Two
domains: `home/nlu` with HWU64's 64 intents, `home/snips` with the 7 of Snips.
"""
SMALL = Cover(
    name="home-nlu",
    parent="home-nlu-large",
    format_="q8_0",
    card=f"""{_CARD}
A Llama of 4 layers, 256 wide, trained from scratch. The score is the product of the tokens'
probabilities, since an answer is right only as a whole. English; placeholders such as `<EMAIL_1>`
are copied like any value.
""",
)
LARGE = Cover(
    name="home-nlu-large",
    parent="",
    format_="q8_0",
    card=f"""{_CARD}
A Llama of 6 layers, 256 wide: home-nlu with its two middle layers doubled by copies that added
nothing at first, and trained on.
""",
)
log = logging.getLogger(__name__)


def main() -> None:
    """Train, pack and measure both models."""
    parser = data.arguments("Train home-nlu and home-nlu-large.")
    parser.add_argument("--minilm", type=Path, help="model folder; default: the installed package")
    parser.add_argument(
        "--teacher", type=Path, default=Path("firmware_configs/models/commands-large")
    )
    parser.add_argument("--steps", type=int, default=2_000, help="of home-nlu")
    parser.add_argument("--large-steps", type=int, default=1_700, help="of home-nlu-large")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    source, folder = Path(given.data), given.minilm or installed_minilm()
    training, judged = frames.read(source)
    known = vocabulary(training, source)
    encoder = Encoder(known)
    work = pool.made(training, source, folder, given.teacher, cache=given.out / "cache")
    every = sheet(work, encoder)
    teacher = Teacher(torch.tensor([encoder.intent(name) for name in work.labels]), work.chances)
    torch.manual_seed(0)
    small = fresh(known, folder)
    fit(small, batches(every, tokens=_TOKENS, seed=0), teacher, Recipe(given.steps))
    large = grown(small, doubled=_DOUBLED)
    further = Recipe(given.large_steps, rate=1.2e-3, warm_up=40, declining=0.5)
    fit(large, batches(every, tokens=_TOKENS, seed=1), teacher, further)
    seen = verify.texts((*judged, *work.labelled, *work.unlabelled), source)
    for cover, model in ((SMALL, small), (LARGE, large)):
        package.write(given.out / cover.name, model, known, training, cover)
        verify.check(given.out / cover.name / package.WEIGHTS, known, seen)
    answers = package.finish(given.out / SMALL.name, judged, SMALL)
    package.finish(given.out / LARGE.name, judged, LARGE, smaller=answers)


def vocabulary(training: list[Frame], source: Path) -> Vocabulary:
    """Learn the vocabulary from the training frames, twice as weighty, and plain English."""
    english = data.unlabelled(source)
    english += [e.text for e in data.labelled(source, data.ASSISTANT, "train")]
    return learn([frame.text for frame in training] * 2 + english, training, size=_PIECES)


def fresh(known: Vocabulary, minilm_folder: Path) -> Llama:
    """Make an untrained model whose words start from MiniLM's."""
    model = Llama(_SHAPE, torch.tensor(known.bases), torch.tensor(known.variants), _DROPOUT)
    with torch.no_grad():
        start = base_vectors(known, minilm_folder, width=_SHAPE.width, random=model.base.weight)
        model.base.weight.copy_(start)
    return model


def sheet(work: Pool, encoder: Encoder) -> list[Sample]:
    """Encode the pool."""
    unlabelled = prompted(work.unlabelled, encoder)
    return [
        *samples(work.labelled, encoder, work.rows),
        *(Sample(p, [], row) for p, row in zip(unlabelled, work.unlabelled_rows, strict=True)),
    ]


if __name__ == "__main__":
    main()
