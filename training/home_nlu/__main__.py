"""Train and pack `home-nlu`; train what `home-nlu-large` is made of (further.py).

python -m training.home_nlu --data DIR --out OUT

vocabulary, pool -> plateau -> decline -> home-nlu
                       `-> two layers more -> plateau -> decline -> OUT/cache/home-nlu-start.gguf
"""

from pathlib import Path

import torch

from training.home_nlu import gguf_file, package, verify
from training.home_nlu.course import DROPOUT, TOKENS, arguments, course, sheet, teacher
from training.home_nlu.covers import SMALL
from training.home_nlu.fit import Recipe, fit
from training.home_nlu.grow import grown
from training.home_nlu.llama import Llama, Shape
from training.home_nlu.meaning import base_vectors
from training.home_nlu.samples import batches
from training.home_nlu.tokens import Encoder, Vocabulary

_SHAPE = Shape(width=256, depth=4, heads=4, hidden=704, context=package.CONTEXT)
_DOUBLED = (1, 2)  # layers, in the deeper model


def main() -> None:
    """Train both, pack and measure home-nlu."""
    parser = arguments("Train home-nlu and what home-nlu-large is made of.")
    parser.add_argument("--steps", type=int, default=2_000, help="of home-nlu")
    parser.add_argument("--start-steps", type=int, default=1_700, help="of the deeper model")
    given = parser.parse_args()
    work = course(given)
    encoder = Encoder(work.known)
    every, opinions = sheet(work.pool, encoder), teacher(work.pool, encoder)
    torch.manual_seed(0)
    small = fresh(work.known, work.minilm)
    fit(small, batches(every, tokens=TOKENS, seed=0), opinions, Recipe(given.steps))
    deeper = grown(small, doubled=_DOUBLED)
    further = Recipe(given.start_steps, rate=1.2e-3, warm_up=40, declining=0.5)
    fit(deeper, batches(every, tokens=TOKENS, seed=1), opinions, further)
    gguf_file.write(work.start, deeper, work.known, name="home-nlu-start", format_="q8_0")
    folder = given.out / SMALL.name
    package.write(folder, small, work.known, work.training, SMALL)
    verify.check(folder / package.WEIGHTS, work.known, work.seen())
    package.finish(folder, work.judged, SMALL)


def fresh(known: Vocabulary, minilm_folder: Path) -> Llama:
    """Make an untrained model whose words start from MiniLM's."""
    model = Llama(_SHAPE, torch.tensor(known.bases), torch.tensor(known.variants), DROPOUT)
    with torch.no_grad():
        start = base_vectors(known, minilm_folder, width=_SHAPE.width, random=model.base.weight)
        model.base.weight.copy_(start)
    return model


if __name__ == "__main__":
    main()
