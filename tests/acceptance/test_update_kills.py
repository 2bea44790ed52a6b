"""The updater is killed while it downloads and assembles; `make crashes` goes through all steps."""

from pathlib import Path

import pytest

from agent.update.window import Patience
from broker.wire.release import BLOCK_BYTES
from tests.acceptance.doomed_updater import End
from tests.acceptance.update_kills import BULK_BYTES, ground

pytestmark = [pytest.mark.acceptance, pytest.mark.broker]

METADATA_BYTES = 60_000  # of a release, with what each life and each session may bring
IN_BLOCKS = (
    End(3, "half a block"),
    End(5, "sync of a block", both=True),
    End(1, "sync of packages", both=True),  # it is all there, and the agent has not been told
)
IN_A_PATCH = (End(2, "rename into ."), End(1, "sync of packages"))


def test_whatever_step_is_an_updaters_last_a_model_answers_and_what_is_there_does_not_come_again(
    tmp_path: Path,
) -> None:
    with ground(tmp_path) as here:
        blocks = here.release(iter(IN_BLOCKS))
        patch = here.release(iter(IN_A_PATCH))

    assert (blocks.killed, patch.killed) == (len(IN_BLOCKS), len(IN_A_PATCH))
    assert (blocks.again, patch.again) == (0, 0)  # a block that the disk has
    assert (blocks.lost, patch.lost) == (0, 0)
    on_its_way = 2 * Patience().window * BLOCK_BYTES  # of two that were killed as they downloaded
    assert BULK_BYTES < blocks.brought_bytes < BULK_BYTES + on_its_way + METADATA_BYTES
    # The broker remembers some that a killed agent listened to; here they are published again.
    assert patch.brought_bytes < BULK_BYTES / 2
    assert not list(tmp_path.glob("site/board/state/**/*.tmp"))
