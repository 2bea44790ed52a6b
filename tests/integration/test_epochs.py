"""A worker and an agent on a real broker live through changes of the pool's keys."""

import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from agent.stages import Origin
from broker.fleet import pools
from broker.fleet.epochs import EpochPlan
from broker.fleet.mosquitto import LOOPBACK, RunningBroker
from broker.wire.epochs import read_chains
from broker.wire.session import Message
from broker.wire.topics import pool_keys
from firstline.publishing import publish
from tests.asker import FLEET, POOL, Fleet
from tests.integration.running import Agent, running_agent, running_worker

pytestmark = pytest.mark.broker

QUICK = EpochPlan(epoch_s=2, grace_s=1, epochs=30)  # so many that a slow machine runs out of none


def hand_out(broker: RunningBroker, bundle: bytes) -> None:
    """What `firstline fleet publish` does."""
    publish(LOOPBACK, broker.port, [Message(pool_keys(FLEET, POOL), bundle, retain=True)])


def oldest_s(fleet: Fleet) -> int:
    """When the oldest epoch begins that the worker's folder can open."""
    return min(chain.start_s for chain in read_chains(fleet.worker_folder).values())


def ask_for(agent: Agent, seconds: float, asked: list[str]) -> None:
    """Ask five times a second."""
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        asked.append(f"question {len(asked)}")
        agent.ask(asked[-1], identity=asked[-1])
        time.sleep(0.2)


def test_no_question_is_lost_while_the_pools_keys_change(
    fleet: Fleet, broker: RunningBroker, tmp_path: Path
) -> None:
    pools.add(fleet.folder, POOL, now_s=time.time(), plan=QUICK)
    asker, asked = fleet.enroll("board-1"), list[str]()
    claims, begun_s = tmp_path / "claims.db", oldest_s(fleet)
    with running_agent(asker, tmp_path / "state", broker.port) as agent:
        with running_worker(fleet, claims, broker.port):
            for _ in range(2):
                ask_for(agent, 2.2, asked)
                hand_out(broker, fleet.rotate())
        ask_for(agent, 1.0, asked)
        time.sleep(3.2)  # nobody is there, and the key that these are sealed to ends
        hand_out(broker, fleet.rotate())
        with running_worker(fleet, claims, broker.port):
            answers = [agent.answer() for _ in asked]
            assert agent.silent()

    assert {answer.origin for answer in answers} == {Origin.CLOUD}
    assert sorted(answer.answer for answer in answers) == sorted(asked)
    assert oldest_s(fleet) > begun_s  # whoever of the two deleted it, worker or operator
    assert agent.counters["bundles_taken"] >= 3
    assert agent.counters["resealed"] > 0


def test_keys_that_are_given_up_cost_no_question(
    fleet: Fleet, broker: RunningBroker, tmp_path: Path
) -> None:
    asker, asked = fleet.enroll("board-1"), list[str]()
    with ExitStack() as stack:
        agent = stack.enter_context(running_agent(asker, tmp_path / "state", broker.port))
        stack.enter_context(running_worker(fleet, tmp_path / "claims.db", broker.port))
        ask_for(agent, 0.5, asked)

        bundle = fleet.renew()  # the worker's folder has the new keys, the agent does not yet
        ask_for(agent, 1.5, asked)
        hand_out(broker, bundle)
        ask_for(agent, 0.5, asked)

        answers = [agent.answer() for _ in asked]

    assert {answer.origin for answer in answers} == {Origin.CLOUD}
    assert sorted(answer.answer for answer in answers) == sorted(asked)
    assert agent.counters["bundles_taken"] == 1


def test_an_agent_whose_keys_end_answers_by_itself_and_says_so(
    fleet: Fleet, broker: RunningBroker, tmp_path: Path
) -> None:
    begun_s = time.time() - QUICK.lasts_s - 1
    pools.add(fleet.folder, POOL, now_s=begun_s, plan=QUICK)
    asker = fleet.enroll("board-1")
    with running_agent(asker, tmp_path / "state", broker.port) as agent:
        agent.ask()

        answer = agent.answer()

    assert answer.origin is Origin.DEGRADED
    assert answer.flags[0].startswith("not asked: no key of pool main is valid now")
    assert agent.counters["keys_missing"] == 1
