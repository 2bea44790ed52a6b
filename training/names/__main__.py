"""`python -m training.names --data DIR --out OUT`: trains OUT/names/en.

With --figures it trains once more for each half of presidio-research's templates, without it, and
once without all of them, and takes the figures there, and on tweets that none of these models has
seen.
"""

from pathlib import Path

from agent.core.find.features import Reader
from agent.core.find.lexicon import Lexicon
from training.data import arguments
from training.minilm import installed_minilm
from training.names import model, samples
from training.names.bare import bare
from training.names.evaluate import figures
from training.names.machine import lines

_GENERATED = 50_000
_BARE = 8_000
_LINES = 8_000
_RECASED_SHARE = 0.3


def main() -> None:
    """Make the lexicon and the model, and describe them."""
    parser = arguments("Trains the model of names.")
    parser.add_argument("--minilm", type=Path, help="model folder; default: the installed package")
    parser.add_argument("--generated", type=int, default=_GENERATED)
    parser.add_argument("--figures", action="store_true", help="train thrice more, and measure")
    given = parser.parse_args()
    data, folder = Path(given.data), given.out / "names" / "en"
    folder.mkdir(parents=True, exist_ok=True)
    words = model.lexicon(data, given.minilm or installed_minilm())
    (folder / model.LEXICON).write_bytes(words)
    reader = Reader(Lexicon(words))
    made = model.generated(data, given.generated)
    public = [*samples.wikigold(data), *samples.tweets(data, "train"), *samples.commands(data)]
    recased = model.in_other_cases(public, _RECASED_SHARE)
    base = [*made, *bare(made, _BARE), *lines(_LINES), *public, *recased]
    seen = [*samples.presidio(data) * model.PRESIDIO_COPIES, *samples.tweets(data, "dev")]
    model.train([*base, *seen], reader, folder / model.MODEL)
    model.describe(folder, {})
    if given.figures:
        model.describe(folder, figures(data, base, reader, words))


if __name__ == "__main__":
    main()
