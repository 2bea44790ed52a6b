"""A task's [tasks.mask] -> the rules that the core knows; its lists are read from their files."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from agent.core.phrases import Phrases, phrases
from agent.core.policy import MaskRules
from broker.package.inputs import RecordInput, WindowInput
from broker.package.manifest import Manifest
from firstline.settings.agent import AgentSettings, MaskSection
from firstline.settings.source import Fault

_MAX_BYTES = 1024 * 1024  # of a list: some 50,000 names


class ListFileError(Exception):
    """A file with a list cannot be used; the message says why, without what is on it."""


def mask_rules(section: MaskSection, base: Path, manifest: Manifest) -> MaskRules:
    """Unpack the section for a model; paths are relative to `base`.

    Raises:
        ListFileError: a file with a list cannot be used.
    """
    return MaskRules(
        fields=section.fields,
        default=section.default,
        names=frozenset((*section.fields, *_names(manifest))),
        types=section.types,
        allow=_phrases((*section.allow, *_values(manifest)), section.allow_file, base),
        deny=_phrases(section.deny, section.deny_file, base),
        deny_label=section.deny_label,
        style=section.style,
    )


def _names(manifest: Manifest) -> Iterator[str]:
    """Names of fields and channels that the model was made with: nobody's."""
    match manifest.input:
        case WindowInput(channels=channels):
            yield from channels
        case RecordInput(numbers=numbers, strings=strings):
            yield from numbers
            yield from (name for name, _ in strings)
        case _:
            pass


def _values(manifest: Manifest) -> Iterator[str]:
    """Values of fields that the model was made with: a trend that is "steady" is no person."""
    if isinstance(manifest.input, RecordInput):
        for _, values in manifest.input.strings:
            yield from filter(_is_phrase, values)


def _is_phrase(value: str) -> bool:
    with suppress(ValueError):
        phrases([value])
        return True
    return False


def list_faults(settings: AgentSettings, base: Path) -> Iterator[Fault]:
    """Files with lists that cannot be used."""
    for number, task in enumerate(settings.tasks):
        for key in ("allow_file", "deny_file"):
            try:
                _phrases((), getattr(task.mask, key), base)
            except ListFileError as error:
                yield ("tasks", number, "mask", key), str(error)


def _phrases(listed: Iterable[str], file: Path | None, base: Path) -> Phrases:
    lines = [] if file is None else _lines(base / file)
    try:
        return phrases([*listed, *lines])
    except ValueError as error:
        raise ListFileError(f"{file}: {error}") from None


def _lines(path: Path) -> list[str]:
    """One phrase a line; empty lines and those that begin with # are none."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ListFileError(f"{path} is larger than {_MAX_BYTES} bytes")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ListFileError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ListFileError(f"{path} is not UTF-8 text") from None
    lines = map(str.strip, text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]
