"""`firstline bench update`, small: what is sent once, received once, and the same everywhere."""

import json

import pytest

from firstline.cli import main

pytestmark = [pytest.mark.broker, pytest.mark.acceptance]


def test_a_release_is_sent_once_and_received_once(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["bench", "update", "--devices", "2", "--size-mb", "4", "--json"])

    found = json.loads(capsys.readouterr().out)
    assert code == 0
    assert found["all_identical"] is True
    assert 1.0 < found["publisher_egress_ratio"] <= 1.05
    assert 1.0 < found["device_refetch_ratio"] <= 1.3  # one cut is a fifth of so small a file
    assert found["peak_rss_mb"] <= 32
