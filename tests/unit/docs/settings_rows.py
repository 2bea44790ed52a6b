"""What the settings' models say of each key, as rows for a table: key, default, what is allowed."""

import typing
from collections.abc import Iterator
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
        inner, is_named = _section(field.annotation)
        if inner is not None:
            yield from rows(inner, f"{key}.NAME." if is_named else f"{key}.")
        else:
            yield key, _default(field), _allowed(field)


def _section(annotation: object) -> tuple[type[BaseModel] | None, bool]:
    """The model behind a section, an array of sections or a table of named sections."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    for argument in typing.get_args(annotation):
        inner, _ = _section(argument)
        if inner is not None:
            return inner, typing.get_origin(annotation) is dict
    return None, False


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    match value:
        case None | {}:
            return "none"
        case bool():
            return f"`{str(value).lower()}`"
        case str() | Path():
            return f'`"{value}"`'
        case _:
            return f"`{value}`"


def _allowed(field: FieldInfo) -> str:
    kind = field.annotation
    if typing.get_origin(kind) in (typing.Union, UnionType):
        kind = next(each for each in typing.get_args(kind) if each is not type(None))
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
