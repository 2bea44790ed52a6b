"""What the settings' models say of each key, as rows of a table: key, default, what is allowed.

The README's tables and `firstline config keys` are made of them; units are in the keys' names.
"""

import json
import typing
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from types import UnionType

from pydantic import BaseModel
from pydantic.fields import FieldInfo

Row = tuple[str, str, str]


def rows(model: type[BaseModel], place: str = "") -> Iterator[Row]:
    """A row for every key of a settings file."""
    for name, field in model.model_fields.items():
        key = f"{place}{name}"
        inner = tuple(_sections(field.annotation))
        if len(inner) > 1:
            yield from _of_several(inner, f"{key}.")
        elif inner:
            is_named = typing.get_origin(field.annotation) is dict
            yield from rows(inner[0], f"{key}.NAME." if is_named else f"{key}.")
        else:
            yield key, _default(field), _allowed(field)


def _of_several(kinds: Iterable[type[BaseModel]], place: str) -> Iterator[Row]:
    """The rows of a section that is of one of several kinds: each key once, `kind` with all."""
    found = [row for each in kinds for row in rows(each, place)]
    every_kind = ", ".join(allowed for key, _, allowed in found if key == f"{place}kind")
    told = set()
    for key, default, allowed in found:
        if key not in told:
            yield key, default, every_kind if key == f"{place}kind" else allowed
        told.add(key)


def _sections(annotation: object) -> Iterator[type[BaseModel]]:
    """The models behind a section, an array of sections or a table of named sections."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _sections(argument)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    match value:
        case None | {} | ():
            return "none"
        case bool():
            return f"`{str(value).lower()}`"
        case str() | Path():
            return f'`"{value}"`'
        case tuple():
            return f"`{json.dumps(value)}`"
        case _:
            return f"`{value}`"


def _allowed(field: FieldInfo) -> str:
    kind = field.annotation
    if typing.get_origin(kind) in (typing.Union, UnionType):
        kind = next(each for each in typing.get_args(kind) if each is not type(None))
    if typing.get_origin(kind) is tuple:
        return "a list"
    if typing.get_origin(kind) is dict:
        kind = typing.get_args(kind)[1]
    if kind is bool:
        return "`true`, `false`"
    if typing.get_origin(kind) is typing.Literal:
        return ", ".join(f"`{each}`" for each in typing.get_args(kind))
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return ", ".join(f"`{each.value}`" for each in kind)
    return _range(field) or _KINDS[kind]


_KINDS: dict[object, str] = {str: "text", Path: "a path"}


def _range(field: FieldInfo) -> str:
    limits = {
        name: getattr(each, name)
        for each in field.metadata
        for name in ("ge", "gt", "le", "pattern")
        if getattr(each, name, None) is not None
    }
    match limits:
        case {"pattern": _}:
            return "a name"
        case {"ge": low, "le": high}:
            return f"{low} to {high}"
        case {"gt": low, "le": high}:
            return f"over {low}, to {high}"
        case {"ge": low}:
            return f"{low} or more"
        case _:
            return ""
