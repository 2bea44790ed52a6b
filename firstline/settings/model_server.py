"""The files that a model server's section names: the key, and the shape of an answer."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from firstline.settings.worker import OpenAiSection

_MAX_BYTES = 256 * 1024


class SectionFileError(Exception):
    """A file that a section names cannot be used; `key` says which."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


@dataclass(frozen=True, slots=True)
class SectionFiles:
    """What was in them."""

    api_key: str = field(repr=False)  # empty without a file
    schema: dict[str, object] | None


def read_files(section: OpenAiSection, base: Path) -> SectionFiles:
    """Read what a section names; `base` is the settings file's folder.

    Raises:
        SectionFileError: a file is missing, or not what it should be.
    """
    key, schema = section.api_key_file, section.schema_file
    return SectionFiles(
        "" if key is None else _key(_text("api_key_file", base / key), base / key),
        None if schema is None else _schema(_text("schema_file", base / schema), base / schema),
    )


def _text(key: str, path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(_MAX_BYTES + 1)
    except UnicodeDecodeError:
        raise SectionFileError(key, f"{path} is not UTF-8 text") from None
    except OSError as error:
        raise SectionFileError(key, f"{path}: {error.strerror}") from error
    if len(text) > _MAX_BYTES:
        raise SectionFileError(key, f"{path} is over {_MAX_BYTES} characters")
    return text


def _key(text: str, path: Path) -> str:
    key = text.strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise SectionFileError("api_key_file", f"{path} must hold one key, and nothing else")
    return key


def _schema(text: str, path: Path) -> dict[str, object]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise SectionFileError("schema_file", f"{path} is no JSON") from None
    if not isinstance(found, dict):
        raise SectionFileError("schema_file", f"{path} is no JSON object")
    return found
