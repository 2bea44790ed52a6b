"""The fleet's authority for TLS, on disk: who may connect to the broker, and which is ours.

DIR/tls/ca.key      signs certificates; keep it offline, with the root
DIR/tls/ca.pem      what everybody checks a certificate with
DIR/tls/broker.*    .pem and .key: the broker's own, for the names that it is reached by

DIR/operator/, DIR/exporter/, the folder of a device or of a worker:  tls-ca.pem  tls.pem  tls.key
"""

from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from broker.fleet.certificates import Authority, end_s, new_key, private_pem
from broker.fleet.errors import NotAFleetError
from broker.fleet.folder import store
from broker.fleet.passphrase import lock, unlock
from broker.fleet.private import make_private
from broker.wire.certificate import parse_certificate
from broker.wire.tls import AUTHORITY, CERTIFICATE, PRIVATE_KEY
from broker.wire.topics import FleetId

FOLDER: Final = "tls"
OPERATOR_FOLDER: Final = "operator"
EXPORTER_FOLDER: Final = "exporter"
CA_KEY: Final = "ca.key"
CA: Final = "ca.pem"
BROKER_KEY: Final = "broker.key"
BROKER: Final = "broker.pem"


def create(
    folder: Path, fleet: FleetId, *, hosts: tuple[str, ...], passphrase: str | None = None
) -> Authority:
    """Make a fleet's authority, and certificates of its broker and its operator, in its folder.

    Raises:
        BadNameError: a host is neither a name nor an address.
        OSError: the disk refused.
    """
    authority, tls = Authority.new(fleet), folder / FOLDER
    certify_broker(authority, folder, hosts)
    store(tls / CA_KEY, lock(CA_KEY, private_pem(authority.key), passphrase))
    store(tls / CA, authority.pem)
    operator_key = new_key()
    operator = authority.operator(operator_key.public_key())
    make_private(folder / OPERATOR_FOLDER)
    _write(folder / OPERATOR_FOLDER, operator_key, operator, authority)
    return authority


def certify_broker(authority: Authority, folder: Path, hosts: tuple[str, ...]) -> None:
    """Make the broker's key and certificate, anew if there are any, in the fleet's folder.

    Raises:
        BadNameError: a host is neither a name nor an address.
        OSError: the disk refused.
    """
    key = new_key()
    certificate = authority.server(hosts, key.public_key())
    tls = folder / FOLDER
    make_private(tls)
    store(tls / BROKER_KEY, private_pem(key))
    store(tls / BROKER, certificate)


def open_authority(folder: Path, passphrase: str | None = None) -> Authority:
    """Open the authority in a fleet's folder.

    Raises:
        PassphraseError: it is locked, and this passphrase, or none, does not open it.
        NotAFleetError: there is none, or a file of it cannot be used.
    """
    tls = folder / FOLDER
    try:
        certificate = parse_certificate((tls / CA).read_bytes())
        pem = unlock(CA_KEY, (tls / CA_KEY).read_bytes(), passphrase)
        key = load_pem_private_key(pem, None)
    except OSError as error:
        raise NotAFleetError(f"{error.filename}: {error.strerror}. Restore a backup") from error
    except ValueError as error:
        raise NotAFleetError(f"{tls}: its keys are damaged; restore a backup") from error
    if not isinstance(key, EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise NotAFleetError(f"{tls}: the key is not the certificate's; restore a backup")
    return Authority(certificate, key)


def write_client(authority: Authority, folder: Path, name: str, *, now_s: float) -> int:
    """Make a key and its certificate in the folder of a device or a worker; return when it ends."""
    key = new_key()
    pem = authority.client(name, key.public_key(), now_s=now_s)
    _write(folder, key, pem, authority)
    return end_s(pem)


def _write(folder: Path, key: EllipticCurvePrivateKey, pem: bytes, authority: Authority) -> None:
    store(folder / PRIVATE_KEY, private_pem(key))
    store(folder / CERTIFICATE, pem)
    store(folder / AUTHORITY, authority.pem)
