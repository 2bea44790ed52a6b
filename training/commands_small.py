"""Train `commands-small`: two narrow layers, taught by the same MiniLMs as the large model.

    python -m training.commands_small --data DIR --out DIR

Reuses the teachers that the large model left in OUT/cache.
"""

import logging

import torch
from torch import Tensor

from broker.package.tokenize import WordPiece
from training import commands, data, vocabulary
from training.commands import Job
from training.encoder import Encoder, Shape, minilm
from training.fit import Recipe, Sheet, device, fit, token_ids
from training.teachers import LENGTH, pool

STEPS = 9_000
PIECES = 7_000
_BATCH, _RATE = 1024, 1e-3
_EMBEDDING, _HIDDEN, _LAYERS, _HEADS, _INNER = 128, 256, 2, 8, 1024
_CARD = """
Answers spoken or typed commands on the device: 64 intents of a home (domain `home`) and
150 of an assistant, with an out-of-scope label (domain `assistant`).

Two transformer layers, 256 wide, over 7,000 word pieces of 128 numbers each that start from
MiniLM's, with one linear head per domain. Several fine-tuned MiniLMs gave their mean
probabilities on the training sentences and on 500,000 made from them (other slot values,
recombined word pairs, slips, near words, masking placeholders); this model learned those.
Weights are 8-bit per channel. English only, lower-cased; a longer text than 48 word pieces is
cut, and the answer says so.
"""


def main() -> None:
    """Train, quantize and pack."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    job = commands.job("Train commands-small.", steps=STEPS)
    full = vocabulary.read(job.work.folder)
    texts = [example.text for example in job.work.examples]
    pieces = vocabulary.cut(full, texts + data.unlabelled(job.work.source), size=PIECES)
    encoder = _trained(job, full, pieces)
    cover = commands.Cover("commands-small", "commands-large", _CARD)
    commands.packed(job, encoder, pieces, cover)


def _trained(job: Job, full: list[str], pieces: list[str]) -> Encoder:
    torch.manual_seed(0)
    outputs = job.work.outputs
    shape = Shape(len(pieces), _EMBEDDING, _HIDDEN, _LAYERS, _HEADS, _INNER, LENGTH, outputs)
    encoder = Encoder(shape, dropout=0.05)
    path = job.work.cache / "small.pt"
    if path.exists():
        encoder.load_state_dict(torch.load(path, weights_only=True, map_location="cpu"))
        return encoder.eval()
    taught = pool(job.work, teachers=job.teachers, size=job.pool)
    words = minilm(job.work.folder, outputs, positions=LENGTH).words.weight.detach()
    with torch.no_grad():
        encoder.words.weight.copy_(_reduced(words)[vocabulary.rows_of(pieces, full)])
    ids = token_ids(WordPiece(pieces, max_tokens=LENGTH), taught.texts, length=LENGTH)
    where = device()
    sheet = Sheet(ids.to(where), taught.gold.to(where), tuple(s.to(where) for s in taught.soft))
    fit(encoder, sheet, Recipe(job.steps, _BATCH, _RATE, _RATE, seed=0))
    torch.save(encoder.state_dict(), path)
    return encoder.cpu().eval()


def _reduced(words: Tensor) -> Tensor:
    """Reduce MiniLM's embedding (V, 384) to its main directions, scaled to start training."""
    *_, directions = torch.linalg.svd(words - words.mean(0), full_matrices=False)
    reduced = words @ directions[:_EMBEDDING].T
    return 0.1 * reduced / reduced.std()


if __name__ == "__main__":
    main()
