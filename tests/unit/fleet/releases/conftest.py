"""A fleet whose operator vouches for two plans."""

from pathlib import Path

import pytest

from broker.fleet.keys import init
from broker.fleet.releases.repository import Repository
from broker.fleet.releases.rollouts import Rollouts
from broker.fleet.root import open_root
from broker.wire.vouched import plan_path
from tests.releases import FLEET, NOW_S
from tests.unit.fleet.releases.boards import FIRST, ROSTER, SECOND


@pytest.fixture
def rollouts(tmp_path: Path) -> Rollouts:
    folder = tmp_path / "fleet"
    init(folder, FLEET)
    root, repository = open_root(folder), Repository(folder)
    root.write_roster(ROSTER)
    repository.begin(root, now_s=NOW_S)
    plans = {plan_path(plan): plan.write() for plan in (FIRST, SECOND)}
    repository.vouch(plans, passphrase=None, now_s=NOW_S)
    return Rollouts(folder, who="eve@desk")
