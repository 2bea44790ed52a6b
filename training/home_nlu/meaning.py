"""Starts the base vectors from MiniLM's word embedding, cut to the model's width.

A word that training never shows then still lies near its likes. Wang et al. 2020 (MiniLM,
arXiv 2002.10957); the cut is along the directions in which the pieces differ most (PCA).
"""

from pathlib import Path

import torch
from torch import Tensor

from broker.package.tokenize import WordPiece
from training import vocabulary
from training.encoder import minilm
from training.home_nlu.tokens import ALONE, Vocabulary, read_back

_SPREAD = 0.04  # standard deviation of the vectors' numbers


def base_vectors(known: Vocabulary, folder: Path, *, width: int, random: Tensor) -> Tensor:
    """Give base vectors (N, width): MiniLM's where a piece is a word, else `random`."""
    full = vocabulary.read(folder)
    words = minilm(folder, (1,), positions=8).words.weight.detach()
    tokenizer = WordPiece(full, max_tokens=64)
    unknown = full.index("[UNK]")
    found: dict[int, Tensor] = {}
    for number, (base, variant) in enumerate(zip(known.bases, known.variants, strict=True)):
        text = read_back(known, [number])
        letters = sum(letter.isalpha() for letter in text)
        if variant != ALONE or letters < 2:
            continue
        ids = list(tokenizer.encode(text).ids[1:-1])
        if ids and unknown not in ids:
            found[base] = words[ids].mean(0)
    rows = torch.tensor(sorted(found))
    table = torch.stack([found[int(row)] for row in rows])
    table = table - table.mean(0)
    _, _, directions = torch.linalg.svd(table, full_matrices=False)
    table = table @ directions[:width].T
    vectors = random.clone()
    vectors[rows] = table * (_SPREAD / table.std())
    return vectors
