"""What a device says of its updates: one retained message, signed with the device's own key.

    dev/<device>/update    {"signed": "<UpdateReport>", "signature": "<Ed25519, hex>"}

It says all of the device's packages each time, so the last one heard is enough, whatever was lost
before it. Nobody but the device can write it, and an older one is known by its session and count.
"""

from typing import Annotated, Final, Literal, TypeAlias

from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from msgspec import Meta

from broker.wire.document import Document, Name, Version
from broker.wire.errors import EnvelopeError, KeyFileError
from broker.wire.release import PackageName, Time
from broker.wire.roster import Roster
from broker.wire.signed import open_signed, sign
from broker.wire.topics import DeviceId

MOST_BYTES: Final = 64 * 1024
MOST_REASON: Final = 200  # characters
_LABEL: Final = "update report"

# A terminal shows it: letters, digits and marks of ASCII, nothing that moves a cursor.
Reason = Annotated[str, Meta(pattern=rf"^[ -~]{{0,{MOST_REASON}}}\Z")]
PlanDigest = Annotated[str, Meta(pattern=r"^([0-9a-f]{64})?\Z")]
State: TypeAlias = Literal[
    "idle",  # no release is meant for it
    "waiting",  # for its turn, its hours, power, a link: the reason says which
    "downloading",
    "testing",  # the new package in an engine of its own
    "watching",  # it answers; whether it goes on to do so well
    "done",  # it answered, and still runs well after the rollout's watch_s
    "failed",  # the package from before answers, and the reason says why
    "stopped",  # the rollout was aborted, or its time is over
]


class Progress(Document, frozen=True):
    """One package of a device."""

    package: PackageName
    state: State
    group: Annotated[str, Meta(max_length=64)] = ""  # whose rollout it is about
    release: Annotated[int, Meta(ge=0)] = 0  # that the rollout is of; 0: none
    digest: PlanDigest = ""  # the plan that it chose
    running: PlanDigest = ""  # the plan that answers now; empty: the one that it was set up with
    share: Annotated[float, Meta(ge=0, le=1)] = 0.0  # of the bytes to download
    reason: Reason = ""
    since_s: Time = 0.0  # Unix time by the device's clock


class UpdateReport(Document, frozen=True):
    """All packages of a device."""

    fleet: Name
    device: Name
    session: Version  # rises at each start: Unix time, or one more than the last, if that is more
    count: Version  # of reports since then
    groups: Annotated[tuple[Name, ...], Meta(max_length=16)]  # whose rollouts it follows
    packages: Annotated[tuple[Progress, ...], Meta(max_length=64)]
    damaged: Annotated[int, Meta(ge=0)] = 0  # copies of its floor, found so since it was started

    @property
    def order(self) -> tuple[int, int]:
        """Rises with each report of a device."""
        return (self.session, self.count)

    def of(self, package: str) -> Progress | None:
        """What it says of one package."""
        return next((each for each in self.packages if each.package == package), None)


def plain(reason: str) -> str:
    """Words as a report can carry them: one line of ASCII, cut where it is too long."""
    told = " ".join(reason.split())[:MOST_REASON]
    return "".join(letter if " " <= letter <= "~" else "?" for letter in told)


def seal_report(report: UpdateReport, key: Ed25519PrivateKey) -> bytes:
    """Sign a report.

    Raises:
        ValueError: a field is out of its bounds.
    """
    return sign(_LABEL, report.write().decode(), key)


def open_report(wire: bytes, roster: Roster, device: DeviceId) -> UpdateReport:
    """Read the report that stood on a device's topic, if that device wrote it.

    Raises:
        EnvelopeError: it did not, is not in the fleet, or these bytes are no report.
    """
    enrolled = roster.devices.get(device)
    if enrolled is None or enrolled.revoked or len(wire) > MOST_BYTES:
        raise EnvelopeError("this report does not count")
    for text in enrolled.keys:
        try:
            signed = open_signed(
                _LABEL, wire, Ed25519PublicKey.from_public_bytes(bytes.fromhex(text))
            )
            report = UpdateReport.read(signed)
        except (KeyFileError, ValueError):
            continue
        if (report.fleet, report.device) == (roster.fleet, device):
            return report
    raise EnvelopeError("this report does not count")
