"""Whatever a device counts is told in the README."""

import ast
from collections.abc import Iterator

from tests.unit.docs.pages import README, ROOT, code

UPDATER = list((ROOT / "agent" / "update").glob("*.py"))
DEVICE = [
    *(path for path in (ROOT / "agent").rglob("*.py") if path not in UPDATER),
    *(ROOT / "firstline" / f"{name}.py" for name in ("assemble", "duties", "tasks", "updating")),
]


def counted(tree: ast.AST) -> Iterator[str]:
    """What stands as text in `counters["..."]` and in `count("...")`."""
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(value=ast.Attribute(attr="counters" | "_counters"), slice=names):
                yield from texts(names)
            case ast.Subscript(value=ast.Name(id="counters"), slice=names):
                yield from texts(names)
            case ast.Call(func=ast.Attribute(attr="count" | "_count"), args=[names]):
                yield from texts(names)
            case _:
                pass


def texts(expression: ast.expr) -> Iterator[str]:
    if isinstance(expression, ast.IfExp):  # one of two counters
        yield from (*texts(expression.body), *texts(expression.orelse))
    elif isinstance(expression, ast.Constant) and isinstance(expression.value, str):
        yield expression.value


def test_whatever_a_device_counts_is_told() -> None:
    names = {name for path in DEVICE for name in counted(ast.parse(path.read_text("utf-8")))}
    updaters = {name for path in UPDATER for name in counted(ast.parse(path.read_text("utf-8")))}
    names |= {f"update_{name}" for name in updaters}

    told = set(code(README.read_text("utf-8")))

    assert {"sends", "broker_failures", "slots_lost", "update_blocks_bad"} <= names
    assert sorted(name for name in names - told if name.isidentifier()) == []
