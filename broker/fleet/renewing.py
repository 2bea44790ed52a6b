"""Give a device that asks new keys, and take old ones away in time.

    keys in the roster:  (old)  --renewal-->  (old, new)  --30 days, the next rotation-->  (new)

The roster is written before the answer, and the same request gets the like answer again, so a board
that did not hear it asks once more.
"""

from dataclasses import dataclass
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import structs

from broker.fleet import devices
from broker.fleet.certificates import end_s
from broker.fleet.devices import Record
from broker.fleet.folder import locked
from broker.fleet.root import Root
from broker.wire import renewal
from broker.wire.errors import EnvelopeError
from broker.wire.renewal import Renewed, Request, read_request
from broker.wire.roster import Enrolled, Roster
from broker.wire.topics import DeviceId

OVERLAP_S = 30 * 86_400  # a board that is away for longer must join again
_KEPT = 2  # the old key and the new one


class Outcome(StrEnum):
    """What became of a request."""

    RENEWED = "renewed"
    REPEATED = "repeated"  # it had not heard its answer
    STRANGER = "stranger"  # not enrolled, or revoked: not answered
    FORGED = "forged"  # unreadable, or not signed by the device's newest key: not answered


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request gets; empty bytes: nothing."""

    outcome: Outcome
    wire: bytes = b""


def renew_device(root: Root, device: DeviceId, wire: bytes, *, now_s: float) -> Answer:
    """Answer the request that came on a device's topic.

    Raises:
        FleetError: a file of the fleet is damaged, or the disk refused.
    """
    try:
        request = read_request(wire)
    except EnvelopeError:
        return Answer(Outcome.FORGED)
    with locked(root.folder):
        roster = root.roster()
        enrolled = roster.devices.get(device)
        if enrolled is None or enrolled.revoked:
            return Answer(Outcome.STRANGER)
        if (request.asked.fleet, request.asked.device) != (root.fleet, device):
            return Answer(Outcome.FORGED)
        outcome = _judge(enrolled, request)
        if outcome is Outcome.FORGED:
            return Answer(outcome)
        if outcome is Outcome.RENEWED:
            keys = (*enrolled.keys, request.asked.signing_key)[-_KEPT:]
            _write(root, roster, {device: structs.replace(enrolled, keys=keys)})
        root.share_roster()
        return Answer(outcome, _grant(root, device, request, now_s))


def drop_old_keys(root: Root, *, now_s: float) -> list[DeviceId]:
    """Take the keys that devices had before away, once they had time to change; whose they were.

    Raises:
        FleetError: a file of the fleet is damaged, or the disk refused.
    """
    roster = root.roster()
    changed: dict[str, Enrolled] = {}
    for name, enrolled in roster.devices.items():
        record = devices.recorded(root.folder, DeviceId(name))
        renewed_s = (record and record.renewed_s) or now_s
        if len(enrolled.keys) > 1 and renewed_s + OVERLAP_S <= now_s:
            changed[name] = structs.replace(enrolled, keys=enrolled.keys[-1:])
    if changed:
        _write(root, roster, changed)
        root.share_roster()
    return [DeviceId(name) for name in sorted(changed)]


def _judge(enrolled: Enrolled, request: Request) -> Outcome:
    *old, newest = enrolled.keys
    if request.asked.signing_key == newest:
        return Outcome.REPEATED if old and request.is_by(_public(old[-1])) else Outcome.FORGED
    return Outcome.RENEWED if request.is_by(_public(newest)) else Outcome.FORGED


def _grant(root: Root, device: DeviceId, request: Request, now_s: float) -> bytes:
    certificate = root.authority().client(device, request.asked.tls_public(), now_s=now_s)
    known = devices.recorded(root.folder, device) or Record(
        pool="unknown", since_s=int(now_s), certificate_end_s=0
    )
    card = structs.replace(known, certificate_end_s=end_s(certificate), renewed_s=int(now_s))
    devices.record(root.folder, device, card)
    renewed = Renewed(
        fleet=root.fleet,
        device=device,
        request=request.digest,
        certificate=certificate.decode(),
    )
    return root.sign(renewal.LABEL, renewed.write().decode())


def _write(root: Root, roster: Roster, changed: dict[str, Enrolled]) -> None:
    everybody = dict(roster.devices)
    everybody.update(changed)
    root.write_roster(Roster(fleet=roster.fleet, version=roster.version + 1, devices=everybody))


def _public(key: str) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
