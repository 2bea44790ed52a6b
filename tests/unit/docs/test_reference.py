"""The tables of the README, compared with what they are about."""

import dataclasses
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import BaseModel
from typer.core import TyperGroup

from agent.shell.events import delivery_json
from agent.stages import Delivery, Origin
from firstline.bench.cascade import Point
from firstline.bench.chaos import Chaos
from firstline.bench.drain import Drain
from firstline.bench.engine import Engines
from firstline.bench.footprint import Footprint
from firstline.bench.gate import Gate, OutOfScope
from firstline.bench.masking import Masking
from firstline.bench.pressure import Pressure
from firstline.bench.roundtrip import RoundTrip
from firstline.bench.writes import Writes
from firstline.cli import _COMMANDS, Stub, main
from firstline.exits import MEANINGS
from firstline.settings import source
from firstline.settings.agent import AgentSettings
from firstline.settings.references import read
from firstline.settings.rows import rows
from firstline.settings.worker import WorkerSettings
from firstline.shipped import MODELS
from tests.unit.docs.pages import README, ROOT, blocks, code, pages, table

WORKER_PAGE = ROOT / "cloud_worker" / "README.md"
SETTINGS: dict[str, type[BaseModel]] = {
    "### agent.toml": AgentSettings,
    "### worker.toml": WorkerSettings,
}


@pytest.mark.parametrize("heading", SETTINGS)
def test_every_key_has_its_default_and_its_range(heading: str) -> None:
    written = [tuple(row[:3]) for row in table(README, heading)]

    assert written == [(f"`{key}`", *rest) for key, *rest in rows(SETTINGS[heading])]


@pytest.mark.parametrize("number", [0, 1], ids=["agent.toml", "worker.toml"])
def test_the_settings_of_the_readme_are_right(number: int, tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(blocks(README, "toml")[number], encoding="utf-8")

    settings = read(path)

    assert type(settings) is (AgentSettings, WorkerSettings)[number]
    assert not list(settings.faults())
    assert source.origins(path)  # there is something in it


@pytest.mark.parametrize("example", blocks(WORKER_PAGE, "toml"))
def test_the_examples_of_engines_are_right(example: str, tmp_path: Path) -> None:
    path = tmp_path / "worker.toml"
    path.write_text(example, encoding="utf-8")

    settings = read(path)

    assert isinstance(settings, WorkerSettings)
    assert not list(settings.faults())
    assert {engine.kind for engine in settings.engines} == {"openai"}


def test_every_command_is_listed() -> None:
    listed = [code(row[0])[0] for row in table(README, "## Commands")]

    assert sorted(listed) == sorted(f"firstline {command}" for command in commands())


def commands() -> Iterator[str]:
    """Every command that does something."""
    for name, (target, summary) in _COMMANDS.items():
        yield from verbs(name, Stub(name, target, summary).load())


def verbs(name: str, command: object) -> Iterator[str]:
    """A command, or those below it."""
    if isinstance(command, TyperGroup):
        for verb, below in command.commands.items():
            yield from verbs(f"{name} {verb}", below)
    else:
        yield name


def test_exit_codes_are_those_of_the_program() -> None:
    text = README.read_text(encoding="utf-8")

    assert all(f"| {code.value} | {meaning} |\n" in text for code, meaning in MEANINGS.items())
    assert text.partition("| exit code |")[2].partition("\n\n")[0].count("\n") == len(MEANINGS) + 1


def test_every_field_of_an_answer_is_told() -> None:
    delivery = Delivery(UUID(int=0), "t", "s", "a", Origin.DEVICE, 1.0, "m", 1.0)

    told = [code(row[0])[0] for row in table(README, "## The answer")]

    assert told == list(json.loads(delivery_json(delivery)))


def test_every_origin_is_told() -> None:
    (told,) = (row[1] for row in table(README, "## The answer") if row[0] == "`origin`")

    assert set(code(told)) == set(Origin)


def test_the_figures_of_models_are_those_of_their_packages() -> None:
    written = table(README, "## Shipped models")

    assert sorted(written) == sorted(model_rows())


def model_rows() -> Iterator[list[str]]:
    """A row for each domain of each shipped package."""
    for path in MODELS.glob("*/package.toml"):
        package = tomllib.loads(path.read_text(encoding="utf-8"))
        figures = package["training"]["figures"]
        for head in package["heads"]:
            name = head["domain"].replace("/", "_")
            yield [
                f"`{package['name']}`",
                package["input"]["payload"],
                f"`{head['domain']}`",
                f"{figures[f'{name}_accuracy']:.1%}".replace("%", " %"),
                str(figures[f"{name}_ece"]),
                str(figures["size_bytes"]),
                str(figures["median_ms"]),
            ]


def test_every_figure_is_one_that_a_bench_measures() -> None:
    measured = {
        each.name for kind in (RoundTrip, Footprint, Engines) for each in dataclasses.fields(kind)
    }

    told = {code(row[0])[0] for row in table(README, "## Figures")}

    assert told
    assert told <= measured


def test_every_key_of_the_gates_figures_is_told() -> None:
    told = table(README, "### The gate")
    apart = README.read_text(encoding="utf-8").partition("\n| key of `out_of_scope` |")[2]

    assert [code(row[0])[0] for row in told] == [each.name for each in dataclasses.fields(Gate)]
    (points,) = (code(row[1]) for row in told if row[0] == "`points`")
    assert points == [each.name for each in dataclasses.fields(Point)]
    listed = [code(row)[0] for row in apart.partition("\n\n")[0].splitlines()[2:]]
    assert listed == [each.name for each in dataclasses.fields(OutOfScope)]


def test_every_key_of_the_figures_of_chaos_is_told() -> None:
    told = [code(row[0])[0] for row in table(README, "### No loss")]

    assert told == [each.name for each in dataclasses.fields(Chaos)]


def test_every_key_of_the_figures_of_drain_is_told() -> None:
    told = [code(row[0])[0] for row in table(README, "### Drain")]

    assert told == [each.name for each in dataclasses.fields(Drain)]


@pytest.mark.parametrize(
    ("heading", "kind"),
    [("### Short of memory", Pressure), ("### What a card has to bear", Writes)],
)
def test_every_key_of_a_boards_figures_is_told(heading: str, kind: type) -> None:
    told = [code(row[0])[0] for row in table(README, heading)]

    assert told == [each.name for each in dataclasses.fields(kind)]


def test_every_key_of_maskings_figures_is_told() -> None:
    told = [code(row[0])[0] for row in table(README, "### Masking")]

    assert told == [each.name for each in dataclasses.fields(Masking)]


def test_every_folder_that_has_a_page_is_on_the_map() -> None:
    folders = {page.parent.name for page in pages() if page.parent.parent == ROOT}

    mapped = {row[0].partition("/")[0].strip("[") for row in table(README, "## What is where")}

    assert mapped == folders


def test_the_prices_shown_are_those_of_the_shipped_model(
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = "firstline gate explain home --package commands-small"
    shown = README.read_text(encoding="utf-8").partition(f"$ {command}\n")[2].partition("```")[0]

    assert main(command.split()[1:]) == 0

    assert capsys.readouterr().out == shown
