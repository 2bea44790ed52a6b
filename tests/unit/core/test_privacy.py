"""`Masked` is made in one place. Read from the syntax trees of all packages that run."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = ("agent", "broker", "cloud_worker", "firstline")
MAKER = ROOT / "agent" / "core" / "mask.py"
TYPE = "Masked"
# Functions that look at a type and make nothing.
LOOKING = {"isinstance", "issubclass"}


def makings(source: str) -> list[int]:
    """Lines that make a Masked, or could hide that they do: another name, an argument."""
    lines = (
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.expr | ast.stmt | ast.alias) and _makes(node)
    )
    return sorted(lines)


def _makes(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=function, args=arguments, keywords=keywords):
            if _is_type(function):
                return True
            name = function.id if isinstance(function, ast.Name) else ""
            given = [*arguments, *(keyword.value for keyword in keywords)]
            return name not in LOOKING and any(map(_is_type, _parts(given)))
        case ast.alias(name=name, asname=other):
            return name == TYPE and other is not None
        case ast.Assign(value=value) | ast.NamedExpr(value=value) | ast.Return(value=value):
            return value is not None and any(map(_is_type, _parts([value])))
        case ast.ClassDef(bases=bases):
            return any(map(_is_type, bases))
        case _:
            return False


def _parts(values: list[ast.expr]) -> Iterator[ast.expr]:
    for value in values:
        yield value
        if isinstance(value, ast.Tuple | ast.List | ast.Set):
            yield from value.elts
        if isinstance(value, ast.Dict):
            yield from value.values


def _is_type(node: ast.AST) -> bool:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Constant(value=name):
            return name == TYPE
        case _:
            return False


def test_masked_is_made_by_mask_only() -> None:
    makers = {
        path
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if makings(path.read_text(encoding="utf-8"))
    }

    assert makers == {MAKER}


def test_mask_makes_it_in_one_line() -> None:
    assert len(makings(MAKER.read_text(encoding="utf-8"))) == 1


@pytest.mark.parametrize(
    "source",
    [
        "Masked(payload)",
        "stages.Masked(payload=payload)",
        "from agent.stages import Masked as M",
        "Other = Masked",
        "TABLE = {'text': Masked}",
        "object.__new__(Masked)",
        "map(Masked, payloads)",
        "partial(function, kind=Masked)",
        "getattr(stages, 'Masked')",
        "class Mine(Masked): pass",
        "def kind(): return Masked",
        "f(x := Masked)",
    ],
)
def test_ways_to_make_a_masked_are_seen(source: str) -> None:
    assert makings(source)


@pytest.mark.parametrize(
    "source",
    [
        "from agent.stages import Masked",
        "def answer(masked: Masked) -> Draft: ...",
        "isinstance(value, Masked)",
        "model: Callable[[Masked], Draft]",
        "match value:\n    case Masked(payload): pass",
        "MaskedAgain(payload)",
    ],
)
def test_using_a_masked_is_no_making(source: str) -> None:
    assert not makings(source)
