"""What a device says of its updates: only the device can, and a terminal can show it."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from broker.wire.errors import EnvelopeError
from broker.wire.roster import Enrolled, Roster
from broker.wire.signed import sign
from broker.wire.topics import DeviceId
from broker.wire.update_report import (
    MOST_BYTES,
    MOST_REASON,
    Progress,
    UpdateReport,
    open_report,
    plain,
    seal_report,
)

OLD, NEW, OTHER = (Ed25519PrivateKey.generate() for _ in range(3))
BOARD, BOARD_2, GONE = DeviceId("board-1"), DeviceId("board-2"), DeviceId("gone")


def public(*keys: Ed25519PrivateKey) -> tuple[str, ...]:
    return tuple(key.public_key().public_bytes_raw().hex() for key in keys)


ROSTER = Roster(
    fleet="home",
    version=1,
    devices={
        BOARD: Enrolled(keys=public(OLD, NEW)),
        BOARD_2: Enrolled(keys=public(OTHER)),
        GONE: Enrolled(keys=public(NEW), revoked=True),
    },
)
REPORT = UpdateReport(
    fleet="home",
    device=BOARD,
    session=3,
    count=7,
    groups=("all",),
    packages=(Progress(package="demo", state="done", group="all", release=4, digest="0" * 64),),
)


@pytest.mark.parametrize("key", [OLD, NEW], ids=["its old key", "its new key"])
def test_a_report_of_the_device_is_read(key: Ed25519PrivateKey) -> None:
    assert open_report(seal_report(REPORT, key), ROSTER, BOARD) == REPORT


def forged() -> dict[str, tuple[bytes, DeviceId]]:
    good = seal_report(REPORT, NEW)
    told = json.loads(good)
    elsewhere = UpdateReport.read(REPORT.write().replace(b'"home"', b'"farm"'))
    gone = UpdateReport.read(REPORT.write().replace(b"board-1", b"gone"))
    as_roster = sign("roster", REPORT.write().decode(), NEW)
    return {
        "another device's key": (seal_report(REPORT, OTHER), BOARD),
        "moved to another device's topic": (good, BOARD_2),
        "another device's, about this one": (seal_report(REPORT, OTHER), BOARD_2),
        "a stranger": (good, DeviceId("board-9")),
        "a revoked device": (seal_report(gone, NEW), GONE),
        "altered": (
            json.dumps(told | {"signed": told["signed"].replace("7", "8")}).encode(),
            BOARD,
        ),
        "no signature": (json.dumps(told | {"signature": ""}).encode(), BOARD),
        "of another fleet": (seal_report(elsewhere, NEW), BOARD),
        "a signature for something else": (as_roster, BOARD),
        "no report": (sign("update report", "{}", NEW), BOARD),
        "nothing": (b"", BOARD),
        "too long": (good + b" " * MOST_BYTES, BOARD),
    }


@pytest.mark.parametrize("name", forged())
def test_a_report_that_the_device_did_not_write_does_not_count(name: str) -> None:
    wire, device = forged()[name]

    with pytest.raises(EnvelopeError, match="does not count"):
        open_report(wire, ROSTER, device)


@pytest.mark.parametrize("reason", ["\x1b[2J", "a\nb", "ü", "x" * (MOST_REASON + 1)])
def test_a_reason_that_could_move_a_cursor_is_refused(reason: str) -> None:
    bad = Progress(package="demo", state="failed", reason=reason)

    with pytest.raises(ValueError, match="reason"):
        bad.write()


@given(st.text())
def test_any_words_can_be_made_a_reason(words: str) -> None:
    reason = plain(words)

    failed = Progress(package="demo", state="failed", reason=reason)

    assert Progress.read(failed.write()) == failed


def test_a_report_says_each_package_and_its_place_in_the_order() -> None:
    later = UpdateReport(
        fleet="home", device=BOARD, session=4, count=1, groups=(), packages=REPORT.packages
    )

    assert later.order > REPORT.order
    assert REPORT.of("demo") == REPORT.packages[0]
    assert REPORT.of("other") is None
