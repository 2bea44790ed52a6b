"""The words that sentences are made of: `words.toml`."""

import tomllib
from pathlib import Path

_FILE = Path(__file__).parent / "words.toml"


def words(section: str) -> dict[str, tuple[str, ...]]:
    """Read one section's lists."""
    with _FILE.open("rb") as file:
        lists = tomllib.load(file)[section]
    return {
        name: tuple(" ".join(word.split()) for word in text.split("|"))
        for name, text in lists.items()
    }
