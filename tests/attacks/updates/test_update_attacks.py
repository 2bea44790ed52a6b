"""A hostile broker, stolen keys, lost state and wrong clocks: no board takes what it must not.

`make attacks` prints the table, which is in `table`.
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.attacks.updates.attack import UpdateAttack, carry_out
from tests.attacks.updates.scene import UpdateStage, update_stage
from tests.attacks.updates.table import UPDATE_ATTACKS
from tests.releases import MEMORY

pytestmark = [pytest.mark.acceptance, pytest.mark.broker]


@pytest.fixture(scope="module")
def stage() -> Iterator[UpdateStage]:
    # In memory where there is such a place: it waits some thousand times for the disk.
    with TemporaryDirectory(dir=MEMORY) as folder, update_stage(Path(folder)) as stage:
        yield stage


@pytest.mark.parametrize("attack", UPDATE_ATTACKS, ids=lambda attack: attack.name)
def test_no_board_is_fooled_by_an_attack_of_the_table(
    stage: UpdateStage, attack: UpdateAttack
) -> None:
    verdict = carry_out(stage, attack)

    assert verdict.failed == ""


def test_every_attack_on_updates_has_a_name_of_its_own() -> None:
    names = [attack.name for attack in UPDATE_ATTACKS]

    assert len(set(names)) == len(names) >= 25
