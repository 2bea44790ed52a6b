"""Texts as people write them: capitals, no capitals, slips of the finger, lost punctuation."""

import random
from collections.abc import Callable
from dataclasses import replace

from training.names.sentence import Piece

_NEIGHBOURS = dict(zip("abcdefghijklmnopqrstuvwxyz", "svxdrdfhujklknipqwdryugbztz", strict=False))
_KEPT_CASE = frozenset({"URL", "SECRET", "CRYPTO"})  # case is part of what they are
_READ_WRONG = (("O", "0"), ("l", "1"), ("I", "l"), ("rn", "m"), ("S", "5"), ("e", "c"))


def noisy(pieces: list[Piece], choice: random.Random) -> list[Piece]:
    """Change the case of some texts, and put slips into some."""
    chance = choice.random()
    if chance < 0.06:
        pieces = _each(pieces, str.upper)
    elif chance < 0.18:
        pieces = _each(pieces, str.lower)
    elif chance < 0.20:
        pieces = [piece if piece.label else Piece(_titled(piece.text), None) for piece in pieces]
    elif chance < 0.24:
        pieces = _each(pieces, str.lower, only_personal=True)
    elif chance < 0.27:
        pieces = _each(pieces, str.upper, only_personal=True)
    if choice.random() < 0.12:
        pieces = [_slipped(piece, choice) for piece in pieces]
    return pieces


def _each(
    pieces: list[Piece], change: Callable[[str], str], *, only_personal: bool = False
) -> list[Piece]:
    """Change the case of every piece, or of names alone."""
    return [
        piece
        if piece.label in _KEPT_CASE or (only_personal and not piece.label)
        else replace(piece, text=change(piece.text))
        for piece in pieces
    ]


def _titled(text: str) -> str:
    """Begin every word with a capital, as headlines do; `don't` stays a word."""
    return " ".join(word[:1].upper() + word[1:] for word in text.split(" "))


def _slipped(piece: Piece, choice: random.Random) -> Piece:
    """Put one slip into what surrounds the names, rarely into a name of several letters."""
    text = piece.text
    if len(text) < 4 or (piece.label and choice.random() < 0.8):
        return piece
    if piece.label and not text.isalpha():
        return piece
    place = choice.randrange(1, len(text) - 1)
    kind = choice.choice("ddsnp2r") if not piece.label else choice.choice("dsn")
    letter = text[place]
    match kind:
        case "d" if letter.isalpha():
            text = text[:place] + text[place + 1 :]
        case "s" if letter.isalpha() and text[place + 1].isalpha():
            text = text[:place] + text[place + 1] + letter + text[place + 2 :]
        case "n" if letter in _NEIGHBOURS:
            text = text[:place] + _NEIGHBOURS[letter] + text[place + 1 :]
        case "p":
            text = text.replace(",", "").replace(".", "")
        case "2":
            text = text.replace(" ", "  ", 1) if " " in text else text
        case "r":
            right, wrong = choice.choice(_READ_WRONG)
            text = text.replace(right, wrong, 1)
        case _:
            pass
    return replace(piece, text=text)
