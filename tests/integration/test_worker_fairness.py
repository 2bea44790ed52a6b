"""Two devices at one worker, and two workers of which one is stuck: real broker, real keys."""

import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from threading import Event as Flag

from broker.wire.messages import Answer, Question
from broker.wire.payload import Text
from cloud_worker.limits import Limits
from cloud_worker.models import Engine
from tests.asker import DOMAIN
from tests.site import Setup, Site, gated, line_of

FLOOD = 60
RESEND_S = 0.4


def test_a_device_that_floods_starves_no_other(site: Site) -> None:
    gate, asked_of_model = Flag(), list[str]()
    engine = gated(gate)

    def note(question: Question, deadline_s: float) -> Answer:
        answer = engine.complete(question, deadline_s)
        asked_of_model.append(answer.text)
        return answer

    other = site.fleet.enroll("board-2")
    setup = Setup(Engine("noting", note), Limits(queue=30, retry_after_s=1.0))
    with site.worker(setup) as service, line_of(other, site.broker) as quiet:
        for _ in range(FLOOD):
            site.line.ask(site.asker.ask())
        site.line.wait(lambda: len(site.line.replies) == FLOOD - service._load._all.total())
        asked = other.ask(Question(DOMAIN, Text("me too")))
        quiet.ask(asked)
        quiet.wait(lambda: "board-2" in {device for device, _ in service._load._shares})

        gate.set()
        quiet.wait(lambda: bool(quiet.of(asked)))

    assert asked_of_model.index("me too") <= 2  # behind the one that runs, and one more
    assert service.counters["busy"] > FLOOD // 2


def test_a_stuck_worker_of_two_costs_no_more_than_the_time_to_the_next_try(
    site: Site, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    gate.touch()

    def is_prompt() -> bool:
        waits_s = [wait_s(site) for _ in range(10)]
        return max(waits_s) < RESEND_S * 2 + max(healthy_s) * 2

    with site.process(gate):
        healthy_s = [wait_s(site) for _ in range(10)]
        second = replace(site, claims=Path(f"{site.claims}-2"))
        with second.process(gate) as stuck:
            os.kill(stuck.pid, signal.SIGSTOP)
            prompt = any(is_prompt() for _ in range(3))  # no other program held it up each time

    assert prompt


def wait_s(site: Site) -> float:
    """How long a question waits that is asked again until it is answered, as a device does."""
    asked, started_s = site.asker.ask(), time.monotonic()
    while not site.line.of(asked):
        site.line.ask(asked)
        give_up_s = time.monotonic() + RESEND_S
        while not site.line.of(asked) and time.monotonic() < give_up_s:
            site.line.take(0.02)
    return time.monotonic() - started_s
