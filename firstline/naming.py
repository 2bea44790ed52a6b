"""The agent's finder: the rules, and names in the languages that the settings list."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agent.core.find import find, find_with
from agent.stages import FindSpans, Span
from firstline.shipped import DEFAULT_LANGUAGES, NAMES, names_folder

if TYPE_CHECKING:
    from firstline.settings.source import Fault


def finder(folders: Sequence[Path]) -> FindSpans:
    """Open folders of names, and find with them beside the rules.

    Raises:
        NamesError: a folder cannot be used, or the library is missing.
    """
    if not folders:
        return find
    from agent.models.names import Names  # noqa: PLC0415 - only where names are wanted

    return find_with(*(Names(folder) for folder in folders))


def finder_when_asked(folders: Sequence[Path]) -> FindSpans:
    """Open the folders with the first text: an agent that nobody asks does not pay 8 MB for them.

    What cannot be opened then fails that text: nothing leaves. The settings' check opens them too.
    """
    opened: list[FindSpans] = []

    def find_all(text: str) -> Sequence[Span]:
        if not opened:
            opened.append(finder(folders))
        return opened[0](text)

    return find_all


def shipped_finder() -> FindSpans:
    """Find as an agent does whose settings say nothing of names.

    Raises:
        NamesError: the library is missing.
    """
    return finder([NAMES / language for language in DEFAULT_LANGUAGES])


def names_faults(languages: Sequence[str], base: Path) -> Iterator["Fault"]:
    """Languages of the settings whose folder cannot be used."""
    from agent.models.names import NamesError  # noqa: PLC0415 - only where names are wanted

    for number, language in enumerate(languages):
        try:
            finder([names_folder(language, base)])
        except NamesError as error:
            yield ("agent", "names", number), str(error)
