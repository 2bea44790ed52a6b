"""Lists of words, as the tables of the rules hold them."""


def words(text: str) -> frozenset[str]:
    """Make a set of the words in a text."""
    return frozenset(text.split())
