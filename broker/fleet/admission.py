"""Answer a board that asks to join: at most one request for each invitation lets a device in.

    request --open--> keys, proven --> certificate, roster of one version more --> answer, stored

The roster is written before the invitation is spent. A command that was cut short between the two
finds the device enrolled with the very keys that ask, and finishes.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from broker.fleet import devices, invitations, where
from broker.fleet.certificates import end_s
from broker.fleet.devices import Record
from broker.fleet.errors import FleetError
from broker.fleet.folder import locked
from broker.fleet.handing import pool_folder
from broker.fleet.invitations import Invitation
from broker.fleet.root import Root
from broker.wire.credentials import BUNDLE, ROOT_PUBLIC
from broker.wire.errors import EnvelopeError
from broker.wire.joining import (
    Refusal,
    Request,
    Welcome,
    open_request,
    seal_refusal,
    seal_welcome,
)
from broker.wire.roster import Enrolled, Roster
from broker.wire.topics import DeviceId, PoolId


class Outcome(StrEnum):
    """What became of a request."""

    ADMITTED = "admitted"  # a device more in the fleet
    REPEATED = "repeated"  # it had not heard its answer
    USED = "used"  # another board came before it with this code
    EXPIRED = "expired"
    UNREADABLE = "unreadable"  # wrong code, or altered: not answered
    UNKNOWN = "unknown"  # no such invitation: not answered


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request gets; empty bytes: nothing."""

    outcome: Outcome
    wire: bytes = b""
    device: DeviceId | None = None


def answer(root: Root, invitation: str, wire: bytes, *, now_s: float) -> Answer:
    """Let the board in that sent this request, or say why not.

    Raises:
        FleetError: a file of the fleet is damaged, or the disk refused.
    """
    with locked(root.folder):
        known = invitations.find(root.folder, invitation)
        if known is None:
            return Answer(Outcome.UNKNOWN)
        secret, device = known.opened(), DeviceId(known.device)
        try:
            request = open_request(wire, secret)
        except EnvelopeError:
            return Answer(Outcome.UNREADABLE)
        if known.request == _digest(wire):
            return Answer(Outcome.REPEATED, bytes.fromhex(known.answer), device)
        if known.request or _taken(root, device, request):
            return Answer(Outcome.USED, seal_refusal(Refusal.USED, secret, wire), device)
        if known.expires_s <= now_s:
            return Answer(Outcome.EXPIRED, seal_refusal(Refusal.EXPIRED, secret, wire), device)
        return Answer(Outcome.ADMITTED, _admit(root, known, request, wire, now_s), device)


def _taken(root: Root, device: DeviceId, request: Request) -> bool:
    enrolled = root.roster().devices.get(device)
    return enrolled is not None and (enrolled.revoked or enrolled.keys != _keys(request))


def _admit(
    root: Root, invitation: Invitation, request: Request, wire: bytes, now_s: float
) -> bytes:
    device, authority = DeviceId(invitation.device), root.authority()
    certificate = authority.client(device, request.tls_public(), now_s=now_s)
    welcome = _welcome(root, invitation, authority.pem, certificate)
    try:
        sealed = seal_welcome(welcome, invitation.opened(), wire)
    except ValueError as error:
        raise FleetError(
            f"{device} cannot be let in: {error}. The keys of the pool {welcome.pool} are too "
            "many: 'firstline fleet enroll --folder' hands them over all the same"
        ) from error
    card = Record(pool=welcome.pool, since_s=int(now_s), certificate_end_s=end_s(certificate))
    devices.record(root.folder, device, card)
    roster = root.roster()
    if device not in roster.devices:
        everybody = {**roster.devices, device: Enrolled(keys=_keys(request))}
        root.write_roster(Roster(fleet=roster.fleet, version=roster.version + 1, devices=everybody))
    root.share_roster()
    invitations.keep(root.folder, invitations.used(invitation, _digest(wire), sealed))
    return sealed


def _welcome(root: Root, invitation: Invitation, authority: bytes, certificate: bytes) -> Welcome:
    bundle = pool_folder(root.folder, PoolId(invitation.pool)) / BUNDLE
    place = where.known(root.folder)
    return Welcome(
        fleet=root.fleet,
        device=invitation.device,
        pool=invitation.pool,
        root=(root.folder / ROOT_PUBLIC).read_text(encoding="ascii"),
        bundle=bundle.read_text(encoding="utf-8"),
        authority=authority.decode(),
        certificate=certificate.decode(),
        port=0 if place is None else place.port,
    )


def _keys(request: Request) -> tuple[str, ...]:
    return (request.signing_public().public_bytes_raw().hex(),)


def _digest(wire: bytes) -> str:
    return hashlib.sha256(wire).hexdigest()
