"""A plan's tasks on a board that is hot, and on one where asking is costly."""

import io
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from agent.core.gate import GatePolicy
from agent.core.pressure import Frugality, Measures
from broker.wire.messages import Priority
from broker.wire.tls import TlsFiles
from firstline.plan import AgentPlan, PlanningError, plan_apart
from firstline.planning import plan
from firstline.settings.agent import AgentSettings, BrokerSection
from firstline.settings.source import read
from firstline.tasks import Tasks
from tests.unit.firstline.conftest import Home

FRUGAL = """\
[models.small]
package = "packages/small"
threads = 4
max_memory_mb = 700

[[tasks]]
frugal_share = 0.1
frugal_wait_s = 0.2
priority = "high"
"""


@pytest.fixture
def planned(home: Home) -> AgentPlan:
    text = home.agent.read_text().replace('[models.small]\npackage = "packages/small"\n', "")
    home.agent.write_text(text.replace("\n[[tasks]]\n", "\n" + FRUGAL, 1))
    return plan(read(home.agent, AgentSettings), home.folder)


@pytest.fixture
def tasks(planned: AgentPlan) -> Tasks:
    made = Tasks(local=None, stdout=io.StringIO(), counters=Counter())
    made.build(planned)
    return made


def test_what_the_settings_say_is_planned(planned: AgentPlan) -> None:
    home, typed = planned.tasks

    assert home.engine == typed.engine
    assert home.engine.max_memory_bytes == 700_000_000
    assert home.frugal == Frugality(share=0.1, wait_s=0.2)
    assert typed.frugal == Frugality()
    assert (home.priority, typed.priority) == (Priority.HIGH, Priority.NORMAL)


def test_keys_that_systemd_copied_for_the_service_are_the_ones_that_count(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = tmp_path / "credentials"
    copies.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(copies))
    settings = read(home.agent, AgentSettings)
    secured = settings.model_copy(update={"broker": BrokerSection(tls=True)})

    without = plan(secured, home.folder)  # they are another program's
    (copies / "device.json").write_text("{}")
    found = plan(secured, home.folder)

    assert without.credentials == home.folder / "fleet" / "devices" / "kitchen"
    assert found.credentials == copies
    assert found.broker.tls == TlsFiles.of(copies)


def test_keys_that_may_not_be_looked_at_are_told_in_a_line(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    beyond = "x" * 300  # root, who may look anywhere, may not look there either
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", f"/{beyond}")

    with pytest.raises(PlanningError, match=f"^/{beyond}/device.json: File name too long$"):
        plan_apart(home.agent)


def test_without_a_limit_an_engine_has_three_quarters_of_the_memory(home: Home) -> None:
    found = plan(read(home.agent, AgentSettings), home.folder)

    assert found.tasks[0].engine.max_memory_bytes > 100_000_000


def test_a_hot_board_halves_the_threads_and_a_cool_one_gives_them_back(tasks: Tasks) -> None:
    (engine,) = tasks.engines
    assert engine.threads == 4

    tasks.under(Measures(hot=True))
    assert engine.threads == 2

    tasks.under(Measures())
    assert engine.threads == 4
    assert len(tasks.engines) == 1


def test_only_a_task_that_is_told_to_asks_less_where_asking_is_costly(tasks: Tasks) -> None:
    calm, found = tasks.under(Measures()), tasks.under(Measures(costly=True))

    assert found["home"].gate == replace(calm["home"].gate, max_share=0.1, explore=0.0)
    assert found["home"].wait_s == 0.2
    assert found["typed"].gate == calm["typed"].gate == GatePolicy(max_error=0.05, explore=0.01)
    assert found["typed"].wait_s == 0.0


def test_new_settings_hold_on_a_board_that_is_still_hot(tasks: Tasks, planned: AgentPlan) -> None:
    tasks.under(Measures(hot=True, costly=True))

    built = tasks.build(planned)

    assert [engine.threads for engine in tasks.engines] == [2]
    assert built["home"].wait_s == 0.2
