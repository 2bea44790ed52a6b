"""Compare the device's tokenizer with the package `tokenizers` on every text of the data.

    python -m training.verify_tokenizer --data DIR --out DIR [--minilm DIR]

A difference would make a text mean something else on a board than in training.
"""

from pathlib import Path

from tokenizers import BertWordPieceTokenizer

from broker.package.tokenize import WordPiece
from training import data, vocabulary
from training.minilm import installed_minilm

_LIMIT = 512


def main() -> None:
    """Print how many texts differ; exit 1 if any does."""
    parser = data.arguments("Verify the tokenizer.")
    parser.add_argument("--minilm", type=Path)
    given = parser.parse_args()
    folder, source = given.minilm or installed_minilm(), Path(given.data)
    theirs = BertWordPieceTokenizer(str(folder / "vocab.txt"), lowercase=True)
    ours = WordPiece(vocabulary.read(folder), max_tokens=_LIMIT)
    texts = data.unlabelled(source) + _lines(source / "pii" / "world-cities" / "world-cities.csv")
    for domain in data.DOMAINS:
        for split in ("train", "validation"):
            texts += [example.text for example in data.labelled(source, domain, split)]
    short = [text for text in texts if not ours.encode(text).truncated]
    wrong = [text for text in short if tuple(theirs.encode(text).ids) != ours.encode(text).ids]
    print(f"{len(short)} texts, {len(wrong)} differ", *wrong[:5], sep="\n")
    if wrong:
        raise SystemExit(1)


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


if __name__ == "__main__":
    main()
