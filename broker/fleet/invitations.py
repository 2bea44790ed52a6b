"""Invitations: a device that may join, once, until a time.

    DIR/invitations/<id>.json    for whom, until when; what opens its requests; what was answered

The code itself is kept nowhere: what is stored opens a request and seals an answer, no more.
"""

from pathlib import Path
from typing import Final

from msgspec import structs

from broker.fleet import pools
from broker.fleet.errors import AlreadyEnrolledError
from broker.fleet.folder import check_name, locked, store
from broker.fleet.private import make_private
from broker.fleet.root import Root
from broker.wire.document import Document, Name
from broker.wire.join_code import JoinCode, JoinSecret
from broker.wire.topics import DeviceId, PoolId

LIFE_S: Final = 15 * 60
_KEPT_S: Final = 86_400  # after its end, so that who comes late is told
_FOLDER: Final = "invitations"


class Invitation(Document, frozen=True):
    """One device that may join."""

    device: Name
    pool: Name
    expires_s: int  # Unix time, seconds
    secret: str  # hex
    request: str = ""  # SHA-256 of the request that used it, hex
    answer: str = ""  # to that request, hex: told again to who asks again

    def opened(self) -> JoinSecret:
        """What opens its requests and seals its answers."""
        return JoinSecret(bytes.fromhex(self.secret))

    def is_valid(self, now_s: float) -> bool:
        """Whether its board may still come, or come again."""
        return now_s < self.expires_s

    def __repr__(self) -> str:
        return f"Invitation({self.device}, until {self.expires_s})"


def invite(
    root: Root, device: DeviceId, pool: PoolId, *, now_s: float, life_s: float = LIFE_S
) -> tuple[Invitation, JoinCode]:
    """Invite a device, and make its pool if that is new. An earlier code of it is void.

    Raises:
        FleetError: bad name, device already enrolled, or the disk refused.
    """
    check_name("device", device)
    pools.add(root.folder, pool, now_s=now_s, passphrase=root.passphrase)
    code = JoinCode.new()
    secret = code.secret(root.fleet)
    made = Invitation(
        device=device, pool=pool, expires_s=int(now_s + life_s), secret=secret.secret.hex()
    )
    with locked(root.folder):
        if device in root.roster().devices:
            raise AlreadyEnrolledError(f"{device} is in the fleet already: choose another name")
        for path, known in _all(root.folder):
            if known.device == device or known.expires_s + _KEPT_S < now_s:
                path.unlink()
        make_private(root.folder / _FOLDER)
        keep(root.folder, made)
    return made, code


def find(folder: Path, invitation: str) -> Invitation | None:
    """The invitation of this id; None: there is none, or it cannot be read."""
    return _read(folder / _FOLDER / f"{invitation}.json")


def keep(folder: Path, invitation: Invitation) -> None:
    """Store an invitation as it is now.

    Raises:
        OSError: the disk refused.
    """
    store(folder / _FOLDER / f"{invitation.opened().id}.json", invitation.write())


def known(folder: Path) -> list[Invitation]:
    """All invitations: also those that are used, whose board may ask again, or have just ended."""
    return [each for _, each in _all(folder)]


def used(invitation: Invitation, request: str, answer: bytes) -> Invitation:
    """An invitation that one request has used."""
    return structs.replace(invitation, request=request, answer=answer.hex())


def _all(folder: Path) -> list[tuple[Path, Invitation]]:
    found = ((path, _read(path)) for path in sorted((folder / _FOLDER).glob("*.json")))
    return [(path, invitation) for path, invitation in found if invitation is not None]


def _read(path: Path) -> Invitation | None:
    try:
        return Invitation.read(path.read_bytes())
    except (OSError, ValueError):
        return None
