"""An attack, and how it ended."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from agent.stages import Delivery, Origin
from tests.attacks.actors import QUESTION, Asked
from tests.attacks.hostile import honest
from tests.attacks.stage import Stage, until

DRAFT = "draft"  # the device's own answer


@dataclass(frozen=True, slots=True)
class Attack:
    """One row of the table.

    Args:
        name: What it is called.
        tried: What the attacker does.
        run: Does it, and returns the questions that must be answered all the same.
        counts: Who counts it, as `agent.<counter>` or `worker.<counter>`.
        alone: The attacker keeps the cloud away, so the device answers by itself and says so.
    """

    name: str
    tried: str
    run: Callable[[Stage], list[Asked]]
    counts: tuple[str, ...]
    alone: bool = False


class Row(Protocol):
    """What is told of an attack; those on updates are others than those on questions."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def tried(self) -> str:
        """What the attacker does."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What happened."""

    attack: Row
    happened: str
    failed: str = ""  # why the attack counts as accepted


def carry_out(stage: Stage, attack: Attack) -> Verdict:
    """Attack, and look whether anybody was fooled."""
    before = stage.counts()
    try:
        asked = attack.run(stage)
        stage.delivered(*asked)
        until(lambda: not _unseen(stage.counts() - before, attack))
        failed = ""
    except (TimeoutError, AssertionError) as error:
        asked, failed = [], str(error) or type(error).__name__
    stage.proxy.rule = honest
    rose = stage.counts() - before
    unseen = _unseen(rose, attack)
    failed = f"nobody counted it: {unseen}" if unseen else failed
    failed = failed or next(filter(None, (_fooled(stage, each, attack) for each in asked)), "")
    return Verdict(attack, _told(rose, attack), failed)


def doubled(stage: Stage) -> list[str]:
    """Questions that were answered twice, or worked on twice, in all attacks together."""
    twice = [each[0].source for each in stage.device.deliveries.values() if len(each) > 1]
    asked = stage.model.asked.items()
    return twice + [text for text, times in asked if times > 1 and text.startswith(QUESTION)]


def _unseen(rose: Counter[str], attack: Attack) -> str:
    return ", ".join(name for name in attack.counts if not rose[name])


def _fooled(stage: Stage, asked: Asked, attack: Attack) -> str:
    deliveries = stage.device.deliveries[asked.ticket]
    if len(deliveries) > 1:
        return "two answers were delivered"
    expected = (DRAFT, Origin.DEGRADED) if attack.alone else (asked.true_answer, Origin.CLOUD)
    return "" if _is(deliveries[0], *expected) else f"it was answered {deliveries[0].origin}"


def _is(delivery: Delivery, answer: str, origin: Origin) -> bool:
    flagged = bool(delivery.flags) or origin is Origin.CLOUD
    return (delivery.answer, delivery.origin) == (answer, origin) and flagged


def _told(rose: Counter[str], attack: Attack) -> str:
    counted = ", ".join(f"{name} {rose[name]}" for name in attack.counts)
    end = "the device answered by itself" if attack.alone else "the true answer came, once"
    return f"{end}; counted: {counted}"
