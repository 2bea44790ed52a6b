"""Make `home-nlu-large` of the deeper model that `training.home_nlu` leaves in OUT/cache.

python -m training.home_nlu.further --data DIR --out OUT [--start FILE.gguf] [--smaller PACKAGE]

start -> two more layers -> the pool with the tagger's frames -> more of Snips -> home-nlu-large

A start that is as deep already, `home-nlu-large` itself for one, only trains on.
"""

from pathlib import Path

import torch

from training.home_nlu import gguf_file, package, verify
from training.home_nlu.course import DROPOUT, TOKENS, Course, arguments, course, sheet, teacher
from training.home_nlu.covers import LARGE
from training.home_nlu.fit import Recipe, fit
from training.home_nlu.frames import HOME, SNIPS
from training.home_nlu.grow import grown
from training.home_nlu.llama import Llama
from training.home_nlu.pool import Pool
from training.home_nlu.samples import Sample, batches
from training.home_nlu.tokens import Encoder
from training.home_nlu.told import told

_DOUBLED = (2, 4)  # layers of a start that has six
_DEPTH = 8
_MORE = 2  # rounds of the frames that count more, beside the pool's one


def main() -> None:
    """Train, pack and measure home-nlu-large, beside home-nlu."""
    parser = arguments("Train home-nlu-large.")
    parser.add_argument("--steps", type=int, default=1_722)
    parser.add_argument("--snips-steps", type=int, default=1_418, help="after those")
    parser.add_argument("--start", type=Path, help="default: what training.home_nlu left")
    parser.add_argument("--smaller", type=Path, default=Path("firmware_configs/models/home-nlu"))
    given = parser.parse_args()
    work = course(given)
    taught = told(work.pool, len(work.training), work.source, work.minilm, cache=work.cache)
    torch.manual_seed(0)
    start = gguf_file.read(given.start or work.start, work.known, dropout=DROPOUT)
    model = start if start.shape.depth >= _DEPTH else grown(start, doubled=_DOUBLED)
    first = Recipe(given.steps, rate=1.2e-3, warm_up=60, declining=0.7)
    last = Recipe(given.snips_steps, rate=4e-4, warm_up=12, declining=0.95)
    _train(model, work, taught, (first, last))
    folder = given.out / LARGE.name
    package.write(folder, model, work.known, work.training, LARGE)
    verify.check(folder / package.WEIGHTS, work.known, work.seen())
    package.finish(folder, work.judged, LARGE, smaller=package.asked(given.smaller, work.judged))


def _train(model: Llama, work: Course, taught: Pool, recipes: tuple[Recipe, Recipe]) -> None:
    """Train twice: with more of HWU64's frames, then with more of Snips' as well."""
    encoder = Encoder(work.known)
    opinions = teacher(taught, encoder)
    every = sheet(taught, encoder)
    home = [every[row] for row, frame in enumerate(work.training) if frame.domain == HOME]
    snips = [every[row] for row, frame in enumerate(taught.labelled) if frame.domain == SNIPS]
    more: list[Sample] = []
    for seed, some, recipe in zip((2, 5), (home, snips), recipes, strict=True):
        more += some * _MORE
        fit(model, batches(every + more, tokens=TOKENS, seed=seed), opinions, recipe)


if __name__ == "__main__":
    main()
