"""What a board tells of its updates, besides how its packages stand."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.update.telling import Telling
from broker.wire.roster import Enrolled, Roster
from broker.wire.topics import DeviceId, FleetId
from broker.wire.update_report import open_report

FLEET, DEVICE = FleetId("home"), DeviceId("board-1")


def test_a_damaged_floor_is_told_and_told_again_when_the_broker_has_lost_it() -> None:
    key = Ed25519PrivateKey.generate()
    keys = (key.public_key().public_bytes_raw().hex(),)
    roster = Roster(fleet=FLEET, version=1, devices={DEVICE: Enrolled(keys=keys)})
    telling = Telling(
        fleet=FLEET, device=DEVICE, key=key, session=1, groups=("all",), now_s=lambda: 0.0
    )
    before = telling.sealed()

    telling.damaged(1)
    telling.damaged(2)
    first = telling.sealed()
    telling.published()
    quiet = telling.sealed()
    telling.again()
    second = telling.sealed()

    assert (before, quiet) == (None, None)
    told = [open_report(each, roster, DEVICE) for each in (first, second) if each is not None]
    assert [each.damaged for each in told] == [3, 3]
    assert told[1].order > told[0].order
