"""A little of `make netem`: a lossy wire between two network namespaces."""

from pathlib import Path

import pytest

from tests.acceptance.bad_network import KINDS, QUESTIONS, far
from tests.acceptance.bad_wire import NotAllowedError

pytestmark = [pytest.mark.acceptance, pytest.mark.broker]


def test_no_question_is_lost_on_a_wire_that_loses_each_tenth_packet(tmp_path: Path) -> None:
    try:
        with far(tmp_path) as here:
            account, _ = here.ask(KINDS["loss 10 %"])
    except NotAllowedError as error:
        pytest.skip(str(error))

    assert (account.delivered, account.degraded, account.duplicate_effects) == (QUESTIONS, 0, 0)
    assert here.wire.lost > 0
