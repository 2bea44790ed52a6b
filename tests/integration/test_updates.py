"""A release on its way to a board that answers: real broker, agent, updater, engines."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.updates import Site, site, version_of

pytestmark = pytest.mark.broker


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as found:
        yield found


def test_a_release_is_taken_proven_and_told(here: Site, tmp_path: Path) -> None:
    here.runs("1.0.0")
    digest = here.release(here.plan(version_of(tmp_path, "1.0.1")))

    here.runs("1.0.1")
    told = here.reports("done")

    assert (told.digest, told.running, told.release, told.reason) == (digest, digest, 1, "")
    current = here.slots.current
    assert current is not None
    assert (current.version, here.slots.trial) == ("1.0.1", None)
