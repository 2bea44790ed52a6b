"""Train `commands-large`: MiniLM, taught by several MiniLMs.

    python -m training.commands_large --data DIR --out DIR

Uses a GPU where there is one; the README says how long it takes without.
"""

import logging

import torch

from broker.package.tokenize import WordPiece
from training import commands, vocabulary
from training.commands import Job
from training.encoder import Encoder, minilm
from training.fit import Recipe, Sheet, device, fit, token_ids
from training.teachers import LENGTH, pool

STEPS = 9_000
_BATCH = 128
_CARD = """
Answers spoken or typed commands in the cloud worker: 64 intents of a home (domain `home`) and
150 of an assistant, with an out-of-scope label (domain `assistant`).

MiniLM-L6 (6 layers, 384 wide) with one linear head per domain. Several copies were fine-tuned
on the training splits; their mean probabilities on those sentences and on 500,000 made ones
then taught this one. Weights are 8-bit per channel and lie in `model.data`, beside the graph,
so that they need no second copy in memory. English only, lower-cased; a longer text than
48 word pieces is cut, and the answer says so.
"""


def main() -> None:
    """Train, quantize and pack."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    job = commands.job("Train commands-large.", steps=STEPS)
    full = vocabulary.read(job.work.folder)
    encoder = _trained(job, full)
    commands.packed(job, encoder, full, commands.Cover("commands-large", "", _CARD))


def _trained(job: Job, full: list[str]) -> Encoder:
    encoder = minilm(job.work.folder, job.work.outputs, positions=LENGTH)
    path = job.work.cache / "large.pt"
    if path.exists():
        encoder.load_state_dict(torch.load(path, weights_only=True, map_location="cpu"))
        return encoder.cpu().eval()
    taught = pool(job.work, teachers=job.teachers, size=job.pool)
    ids = token_ids(WordPiece(full, max_tokens=LENGTH), taught.texts, length=LENGTH)
    where = device()
    sheet = Sheet(ids.to(where), taught.gold.to(where), tuple(s.to(where) for s in taught.soft))
    torch.manual_seed(0)
    fit(encoder, sheet, Recipe(job.steps, _BATCH, 7e-5, 2e-3, seed=0))
    torch.save(encoder.state_dict(), path)
    return encoder.cpu().eval()


if __name__ == "__main__":
    main()
