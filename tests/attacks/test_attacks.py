"""A hostile broker, and strangers and neighbours at it: each attack is noticed or survived.

`make attacks` prints the table, which is in `table`.
"""

from collections.abc import Iterator

import pytest

from tests.attacks.attack import Attack, carry_out, doubled
from tests.attacks.stage import Stage, attack_stage
from tests.attacks.table import ATTACKS

pytestmark = [pytest.mark.acceptance, pytest.mark.broker]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with attack_stage(tmp_path_factory.mktemp("attacks")) as stage:
        yield stage


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_of_the_table_is_noticed_or_survived(stage: Stage, attack: Attack) -> None:
    verdict = carry_out(stage, attack)

    assert verdict.failed == ""


def test_no_attack_had_a_question_answered_or_worked_on_twice(stage: Stage) -> None:
    assert doubled(stage) == []


def test_every_attack_has_a_name_of_its_own() -> None:
    names = [attack.name for attack in ATTACKS]

    assert len(set(names)) == len(names) >= 40
