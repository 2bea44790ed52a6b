"""The dashboard asks for what a live worker and a live exporter tell, and for nothing else."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("httpx")
pytest.importorskip("numpy")
pytest.importorskip("prometheus_client")

from prometheus_client.parser import text_string_to_metric_families

from agent.stages import Origin
from broker.fleet.mosquitto import RunningBroker
from tests.asker import Asker, Fleet
from tests.integration.running import running_agent
from tests.integration.test_fleet_metrics import watching
from tests.integration.worker_pages import until
from tests.integration.worker_settings import worker_run
from tests.model_server import Scripted, said, scripted_server, send
from tests.unit.docs.metrics_rows import series
from tests.unit.docs.pages import README, ROOT, code, table

pytestmark = pytest.mark.broker
DASHBOARD = ROOT / "docker" / "grafana" / "firstline.json"
OF_PROMETHEUS = {"instance", "le"}
_STRING = re.compile(r'"[^"]*"')
_BRACES = re.compile(r"\{([^}]*)\}")
_GROUPS = re.compile(r"\b(?:by|on|without|ignoring|group_left|group_right) ?\(([^)]*)\)")
_NAME = re.compile(r"\b[a-zA-Z_:][\w:]*\b(?!\s*\()")
_DURATION = re.compile(r"\[\w+\]")


def queries() -> list[tuple[str, str]]:
    """Every query and its legend."""
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    targets = [each for panel in panels for each in panel.get("targets", ())]
    return [(each["expr"], each["legendFormat"]) for each in targets]


def metrics_in(query: str) -> set[str]:
    for other in (_STRING, _BRACES, _GROUPS, _DURATION):
        query = other.sub(" ", query)
    return {name for name in _NAME.findall(query) if not name.isdigit()}


def labels_in(query: str, legend: str) -> Iterator[str]:
    for inside in (*_GROUPS.findall(query), *_BRACES.findall(_STRING.sub("", query))):
        yield from re.findall(r"[a-z_]+", inside)
    yield from re.findall(r"\{\{(\w+)\}\}", legend)


def test_a_query_is_read_right() -> None:
    query = 'sum by (le, b) (rate(a_total{c=~"d|e"}[5m])) / on (f) group_left () g > 0'

    assert metrics_in(query) == {"a_total", "g"}
    assert set(labels_in(query, "{{h}}")) == {"le", "b", "c", "f", "h"}


def test_every_query_of_the_dashboard_asks_for_what_is_there(
    fleet: Fleet, asker: Asker, broker: RunningBroker, tmp_path: Path
) -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 1}
    script = Scripted(answer=send(said() | {"usage": usage}))
    with (
        scripted_server(script),
        worker_run(
            fleet, broker.port, script.base_url, tmp_path, drain_s=1.0, concurrency=1
        ) as worker,
        watching("--port", str(broker.port)) as (exporter, _),
        running_agent(asker, tmp_path / "a", broker.port) as agent,
    ):
        agent.ask()
        answer = agent.answer()
        until(lambda: worker.pages.metric("gen_ai_client_token_usage_sum") == 10)
        until(lambda: exporter.metric("firstline_device_events_total") > 0)
        page = "".join(each.get("/metrics")[1].decode() for each in (worker.pages, exporter))

    assert answer.origin is Origin.CLOUD
    there = series(page)
    assert {name for query, _ in queries() for name in metrics_in(query)} <= there
    known = {
        name
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        for name in sample.labels
    }
    assert {name for each in queries() for name in labels_in(*each)} <= known | OF_PROMETHEUS


def test_every_counter_that_a_query_picks_is_one_of_a_device() -> None:
    counters = {name for row in table(README, "### What is counted") for name in code(row[0])}

    picked = {
        name
        for query, _ in queries()
        for choice in re.findall(r'event=~?"([^"]*)"', query)
        for name in choice.split("|")
    }

    assert picked
    assert picked <= counters


def test_no_two_panels_are_on_one_place_and_each_says_what_it_shows() -> None:
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    shown = [panel for panel in panels if panel["type"] != "row"]

    places = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in panels]

    assert len(set(places)) == len(places)
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["description"] and panel["fieldConfig"]["defaults"]["unit"] for panel in shown)
