"""A short run of the bench: that each kind is asked, not how fast it answers."""

import pytest

from firstline.bench import roundtrip
from firstline.bench.roundtrip import measure

pytestmark = pytest.mark.broker

_SEAL_BYTES = 1314  # of a question of 1 KB: broker/README.md, "Envelope"


def test_bare_sealed_and_guarded_questions_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(roundtrip, "_BLOCK", 10)
    monkeypatch.setattr(roundtrip, "_WARM_UP", 5)

    found = measure(25, 1024, asked.append)

    assert asked == [10, 10, 5]
    for _ in range(3):  # other programs take their time in some
        if found.bare_p50_ms >= found.sealed_p50_ms:
            found = measure(25, 1024, asked.append)
    assert found.rounds == 25
    assert found.request_overhead_bytes == _SEAL_BYTES
    assert found.guarded_ratio == pytest.approx(
        found.guarded_p50_ms / found.sealed_p50_ms, abs=0.01
    )
    assert 0 < found.bare_p50_ms < found.sealed_p50_ms
    assert found.sealed_p50_ms <= found.sealed_p99_ms
    assert found.guarded_p50_ms <= found.guarded_p99_ms
