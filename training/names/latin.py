"""Greek, Cyrillic, Armenian and Georgian names in Latin letters, as passports write them."""

import unicodedata
from functools import cache

from training.names.words import words


def romanized(name: str) -> str:
    """Write a name in Latin letters; a script that this does not know stays as it is."""
    written = "".join(map(_romanized, name))
    if written == name:
        return name
    return " ".join(word[:1].upper() + word[1:] for word in written.split(" "))


def _romanized(letter: str) -> str:
    small, table = letter.lower(), _table()
    base = unicodedata.normalize("NFD", small)[0]  # a Greek letter without its accent
    found = table.get(small, table.get(base))
    if found is None:
        return letter
    return found if small == letter else found.capitalize()


@cache
def _table() -> dict[str, str]:
    pairs = (pair.split(" ") for pair in words("latin")["letters"])
    return {letter: written.replace("-", "") for letter, written in pairs}
