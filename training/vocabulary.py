"""MiniLM's vocabulary, a smaller cut of it for the device, and which of its words are alike."""

import string
from collections import Counter
from pathlib import Path

import torch
from torch import Tensor

from broker.package.tokenize import WordPiece

_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
_CHARACTERS = string.ascii_lowercase + string.digits
_NEIGHBOURS = 8
_NEAR = 0.45  # cosine of MiniLM's static embeddings; below it words have little in common


def read(folder: Path) -> list[str]:
    """Read MiniLM's vocabulary in the order of its ids."""
    return (folder / "vocab.txt").read_text(encoding="utf-8").splitlines()


def cut(full: list[str], texts: list[str], *, size: int) -> list[str]:
    """Keep the special tokens, every single character, and the most useful pieces.

    Pieces that the training texts use come first; the rest is filled in MiniLM's own order,
    which is by frequency in English, so that a word new to the task still has a meaning.
    """
    tokenizer = WordPiece(full, max_tokens=512)
    counts = Counter(number for text in texts for number in tokenizer.encode(text).ids)
    known = set(full)
    kept = dict.fromkeys(_SPECIAL)
    kept |= dict.fromkeys(c for c in string.punctuation if c in known)
    kept |= dict.fromkeys(_CHARACTERS) | dict.fromkeys(f"##{c}" for c in _CHARACTERS)
    used = (full[n] for n, count in counts.most_common() if count > 1)
    english = (piece for piece in full if piece.isascii() and not piece.startswith("["))
    for piece in (*used, *english):
        if len(kept) >= size:
            break
        kept[piece] = None
    return list(kept)


def rows_of(small: list[str], full: list[str]) -> Tensor:
    """Give the row of the full embedding for each piece of a cut vocabulary."""
    row = {piece: number for number, piece in enumerate(full)}
    return torch.tensor([row[piece] for piece in small])


def similar_words(full: list[str], embedding: Tensor, texts: list[str]) -> dict[str, list[str]]:
    """List, for each whole word of the texts, its nearest words in the embedding (V, 384)."""
    row = {piece: n for n, piece in enumerate(full) if piece.isalpha() and piece.isascii()}
    wanted = sorted({word for text in texts for word in text.split() if word in row})
    names = list(row)
    unit = torch.nn.functional.normalize(embedding, dim=1)
    keys = unit[[row[name] for name in names]]
    near: dict[str, list[str]] = {}
    for start in range(0, len(wanted), 512):
        block = wanted[start : start + 512]
        top = (unit[[row[word] for word in block]] @ keys.T).topk(_NEIGHBOURS + 1)
        for word, values, places in zip(block, top.values, top.indices, strict=True):
            found = zip(values.tolist(), places.tolist(), strict=True)
            near[word] = [names[at] for value, at in found if value > _NEAR and names[at] != word]
    return near
