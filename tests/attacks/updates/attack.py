"""An attack on updates, and how it ended."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from agent.update.errors import RefusedError, UpdateError
from tests.attacks.attack import Verdict
from tests.attacks.updates.scene import NEWEST, Scene, UpdateStage

_SHOWN = 80  # characters of a reason


@dataclass(frozen=True, slots=True)
class UpdateAttack:
    """One row of the table.

    Args:
        name: What it is called.
        tried: What the attacker does.
        run: Does it; returns what happened, and fails if the board took what it must not.
    """

    name: str
    tried: str
    run: Callable[[Scene], str]


def carry_out(stage: UpdateStage, attack: UpdateAttack) -> Verdict:
    """Attack a board, and look whether it was fooled."""
    try:
        return Verdict(attack, attack.run(stage.scene()))
    except (AssertionError, TimeoutError, UpdateError) as error:
        return Verdict(attack, "", str(error) or type(error).__name__)


def refused(
    scene: Scene, why: str, kind: type[UpdateError] = RefusedError, *, group: str = "all"
) -> str:
    """Have the board look: it must refuse, for this reason."""
    with pytest.raises(UpdateError) as caught:
        raise AssertionError(f"the board took {scene.look(group)}")
    error = caught.value
    assert isinstance(error, kind), f"{type(error).__name__}: {error}"
    assert re.search(why, str(error)), f"refused for another reason: {error}"
    return f"refused: {error}"[:_SHOWN]


def recovered(scene: Scene, told: str) -> str:
    """Have the operator's own metadata back at the broker: the board must take it."""
    scene.restore()
    assert scene.look() == NEWEST, "it does not recover"
    return told
