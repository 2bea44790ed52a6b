"""A package's own files, read and checked at the door: package.toml, calibration.json.

    bytes --tomllib/json--> objects --pydantic--> documents --manifest.py--> frozen values

Every problem of a file is told at once, each with its line and, for a misspelt key, the
nearest right one.
"""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from broker.package.errors import ManifestError

# A plain name inside the package's own folder: no separator, so no way out of it.
FileName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,99}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Domain = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]+(/[a-z0-9_-]+){0,5}$")]
Share = Annotated[float, Field(ge=0.0, le=1.0)]

_KEY_LINE = re.compile(r"^\s*(?:\[\[?\s*)?([A-Za-z0-9_.\"-]+)\s*(?:=|\])")
_Document = TypeVar("_Document", bound=BaseModel)


class Strict(BaseModel):
    """A table in which an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def read_text(path: Path) -> str:
    """Read a small file.

    Raises:
        ManifestError: it is missing, or no UTF-8 text.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        message = f"{path} does not exist; a model package is a folder with it"
        raise ManifestError(message) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path} cannot be read: {error}") from error


def checked(shape: type[_Document], value: object, path: Path, text: str) -> _Document:
    """Check what a file holds against its shape; `text` is for line numbers.

    Raises:
        ManifestError: a key is wrong, missing or unknown.
    """
    try:
        return shape.model_validate(value)
    except ValidationError as error:
        keys = sorted(set(_keys(shape)))
        problems = [
            _told(path, text, [str(part) for part in problem["loc"]], problem["msg"], keys)
            for problem in error.errors()
        ]
        raise ManifestError("\n".join(problems)) from error


def _told(path: Path, text: str, place: list[str], message: str, keys: list[str]) -> str:
    line = _line_of(text, place)
    where = f"{path}:{line}" if line else str(path)
    hint = ""
    if message.startswith("Extra inputs"):
        message = "there is no such key"
        near = get_close_matches(place[-1], keys, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
    elif message == "Field required":
        message = "this key is missing"
    return f"{where}: {'.'.join(place)}: {message}{hint}"


def _line_of(text: str, place: list[str]) -> int:
    """Find the line of the innermost key of a place that the text has, or 0."""
    lines = [match and match[1].strip('"') for match in map(_KEY_LINE.match, text.splitlines())]
    for key in reversed(place):
        for number, name in enumerate(lines, start=1):
            if name is not None and name.rpartition(".")[2] == key:
                return number
    return 0


def _keys(shape: object) -> Iterator[str]:
    """Every key that a document may have, in its tables too."""
    if isinstance(shape, type) and issubclass(shape, BaseModel):
        for name, field in shape.model_fields.items():
            yield name
            yield from _keys(field.annotation)
    else:
        for part in get_args(shape):
            yield from _keys(part)
