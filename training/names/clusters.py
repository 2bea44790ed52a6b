"""Words -> classes of words that mean something alike: k-means of MiniLM's word vectors.

MiniLM-L6-v2 (Apache-2.0) has a vector for each of 30,522 pieces; 22,000 are whole words of letters.
"""

from pathlib import Path

import numpy as np
from safetensors import safe_open

_VECTORS = "embeddings.word_embeddings.weight"
CLASSES = 200
_ROUNDS = 25


def classes(minilm: Path, seed: int = 0) -> dict[str, int]:
    """Give each word a class from 1 to `CLASSES`."""
    pieces = (minilm / "vocab.txt").read_text("utf-8").splitlines()
    chosen = [n for n, piece in enumerate(pieces) if piece.isalpha() and len(piece) > 1]
    with safe_open(minilm / "model.safetensors", "np") as file:
        vectors = file.get_tensor(_VECTORS)[chosen].astype(np.float32)  # (words, 384)
    vectors -= vectors.mean(axis=0)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    nearest = _k_means(vectors, np.random.default_rng(seed))
    return {pieces[n]: int(group) + 1 for n, group in zip(chosen, nearest, strict=True)}


def _k_means(vectors: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """Spherical k-means: the class of each row."""
    centres = vectors[chance.choice(len(vectors), CLASSES, replace=False)]
    nearest = np.zeros(len(vectors), int)
    for _ in range(_ROUNDS):
        nearest = (vectors @ centres.T).argmax(axis=1)
        for group in range(CLASSES):
            members = vectors[nearest == group]
            if len(members):
                centre = members.sum(axis=0)
                centres[group] = centre / np.linalg.norm(centre)
    return nearest
