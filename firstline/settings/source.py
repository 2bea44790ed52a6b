"""Reads a TOML file into a model, and tells all that is wrong with it at once.

agent.toml:3: broker.prot: unknown key, did you mean 'port'?
agent.toml:9: tasks.0.max_error: Input should be less than or equal to 1
"""

import re
import tomllib
import typing
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from types import UnionType
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from firstline.settings.problems import Problem, SettingsError

_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]")
_KEY = re.compile(r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*[A-Za-z0-9_-]+)*)\s*=""")
_PART = re.compile(r"""\"[^"]*\"|'[^']*'|[^.\s]+""")
_TOML_LINE = re.compile(r"\(at line (\d+), column \d+\)")

Location = tuple[int | str, ...]
Fault = tuple[Location, str]  # where, what


class Section(BaseModel):
    """A part of a settings file: frozen, and no key that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class Document(Section):
    """A whole settings file."""

    def faults(self) -> Iterator[Fault]:
        """What is wrong between parts that are right by themselves."""
        yield from ()


_Document = TypeVar("_Document", bound=Document)


def read(path: Path, model: type[_Document]) -> _Document:
    """Read a settings file.

    Raises:
        SettingsError: it is missing, no TOML, or does not match the model.
    """
    text, values = _parse(path)
    try:
        document = model.model_validate(values)
    except ValidationError as error:
        raise _refusal(path, text, _errors(error, model)) from None
    faults = tuple(document.faults())
    if faults:
        raise _refusal(path, text, faults)
    return document


def read_kind(path: Path, models: Iterable[type[_Document]]) -> type[_Document]:
    """Tell which kind of settings file this is, by its sections.

    Raises:
        SettingsError: it is missing, no TOML, or of no kind.
    """
    _, values = _parse(path)
    scores = {model: len(values.keys() & model.model_fields.keys()) for model in models}
    best = max(scores, key=lambda model: scores[model])
    if scores[best] == 0:
        known = ", ".join(sorted({name for model in scores for name in model.model_fields}))
        message = f"this file has no section that we know: {known}"
        raise SettingsError((Problem(str(path), 1, "", message),))
    return best


def located(path: Path, faults: Iterable[Fault]) -> tuple[Problem, ...]:
    """Find the lines of faults in a file that has been read.

    Raises:
        SettingsError: the file cannot be read any more.
    """
    text, _ = _parse(path)
    return _refusal(path, text, faults).problems


def origins(path: Path) -> dict[Location, int]:
    """Where each value of a file stands.

    Raises:
        SettingsError: the file cannot be read.
    """
    text, values = _parse(path)
    lines = key_lines(text)
    return {location: line_of(location, lines) for location, _ in leaves(values)}


def leaves(value: object, location: Location = ()) -> Iterator[tuple[Location, object]]:
    """Every single value in a tree of tables and arrays, and its path."""
    match value:
        case dict():
            for name, inner in value.items():
                yield from leaves(inner, (*location, name))
        case list():
            for number, inner in enumerate(value):
                yield from leaves(inner, (*location, number))
        case _:
            yield location, value


def _parse(path: Path) -> tuple[str, dict[str, object]]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError((Problem(str(path), 1, "", f"{error.strerror}"),)) from error
    except UnicodeDecodeError as error:
        raise SettingsError((Problem(str(path), 1, "", "not UTF-8 text"),)) from error
    try:
        return text, tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits, 5,000 brackets
        found = _TOML_LINE.search(str(error))
        line = int(found[1]) if found else len(text.splitlines()) or 1
        message = _TOML_LINE.sub("", str(error)).strip()
        raise SettingsError((Problem(str(path), line, "", message),)) from error


def _refusal(path: Path, text: str, faults: Iterable[Fault]) -> SettingsError:
    lines = key_lines(text)
    problems = [
        Problem(str(path), line_of(location, lines), ".".join(map(str, location)), message)
        for location, message in faults
    ]
    return SettingsError(tuple(sorted(problems, key=lambda each: each.line)))


def key_lines(text: str) -> dict[Location, int]:
    """Where each table and key of a TOML text stands: path -> line, from 1."""
    lines: dict[Location, int] = {}
    counts: dict[Location, int] = {}
    table: Location = ()
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _table(_split(header[2]), counts, array=header[1] == "[[")
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            lines.setdefault((*table, *_split(key[1])), number)
    return lines


def line_of(location: Location, lines: dict[Location, int]) -> int:
    """The line of a key, or of the nearest table around it."""
    while location and location not in lines:
        location = location[:-1]
    return lines.get(location, 1)


def _table(names: Location, counts: dict[Location, int], *, array: bool) -> Location:
    path: Location = ()
    for depth, name in enumerate(names, start=1):
        path = (*path, name)
        if array and depth == len(names):
            counts[path] = counts.get(path, -1) + 1
        if path in counts:  # a table inside the newest element of an array
            path = (*path, counts[path])
    return path


def _split(dotted: str) -> Location:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))


def _errors(error: ValidationError, model: type[BaseModel]) -> Iterator[Fault]:
    errors = error.errors(include_url=False)
    for found in errors:
        raw = found["loc"]
        location, known = _place(model, raw)
        inside = (each["loc"] for each in errors if each["loc"] != raw)
        match found["type"]:
            case "too_short" if any(each[: len(raw)] == raw for each in inside):
                pass  # only because what is in it was refused, which is told
            case "extra_forbidden":
                near = get_close_matches(str(location[-1]), known, n=1, cutoff=0.5)
                yield location, f"unknown key, did you mean {near[0]!r}?" if near else "unknown key"
            case "missing":
                yield location, "this key is missing"
            case "union_tag_invalid":
                yield (*location, "kind"), f"there is {found['ctx']['expected_tags']}"
            case _:
                yield location, found["msg"].removeprefix("Value error, ")


def _place(model: type[BaseModel], location: Location) -> tuple[Location, list[str]]:
    """Where a fault stands in the file, without the kinds of sections; and the keys around it."""
    plain: list[int | str] = []
    around: type[BaseModel] | None = model
    kinds: dict[str, type[BaseModel]] = {}  # of the section that we are in, if there are several
    is_name = False  # the step is an index, or a name in a table of names: no key
    for step in location[:-1]:
        if step in kinds and not is_name:
            around, kinds = kinds[str(step)], {}
            continue
        plain.append(step)
        if is_name or around is None:
            is_name = False
            continue
        field = around.model_fields.get(str(step))
        inner = tuple(_sections(field.annotation)) if field else ()
        is_name = field is not None and typing.get_origin(field.annotation) in (dict, tuple)
        kinds = {kind: each for each in inner for kind in _kinds(each)} if len(inner) > 1 else {}
        around = inner[0] if inner else None
    return (*plain, *location[-1:]), list(around.model_fields) if around else []


def _sections(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif typing.get_origin(annotation) is not None or isinstance(annotation, UnionType):
        for argument in typing.get_args(annotation):
            yield from _sections(argument)


def _kinds(section: type[BaseModel]) -> tuple[str, ...]:
    return typing.get_args(section.model_fields["kind"].annotation)
