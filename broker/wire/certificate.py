"""Who a certificate says that somebody is. Apart from `tls`, since a device never asks."""

from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID

from broker.wire.errors import KeyFileError


def parse_certificate(pem: bytes) -> x509.Certificate:
    """Read a certificate, whoever made it.

    Raises:
        ValueError: it is none.
    """
    try:
        return x509.load_pem_x509_certificate(pem)
    except x509.InvalidVersion as error:
        raise ValueError(str(error)) from None


def check_certificate(
    certificate: str, authority: str, *, name: str, key: EllipticCurvePublicKey
) -> None:
    """Refuse a certificate (PEM) that is not the authority's for this name and key.

    Raises:
        KeyFileError: it is not.
    """
    try:
        issuer = parse_certificate(authority.encode())
        made = parse_certificate(certificate.encode())
        made.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature) as error:
        raise KeyFileError("the certificate is not one of the fleet's authority") from error
    (found,) = made.subject.get_attributes_for_oid(NameOID.COMMON_NAME) or (None,)
    if found is None or found.value != name or made.public_key() != key:
        raise KeyFileError("the certificate is not for this device and its key")


def load_tls_key(path: Path) -> EllipticCurvePrivateKey:
    """Read a private key of TLS.

    Raises:
        KeyFileError: the file is missing, or is none.
    """
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise KeyFileError(f"{path}: no private key") from error
    if not isinstance(key, EllipticCurvePrivateKey):
        raise KeyFileError(f"{path}: no private key of P-256")
    return key


def common_name(path: Path) -> str:
    """The name in a certificate: its owner's user name and client id at the broker.

    Raises:
        KeyFileError: the file is missing, or is no certificate with one name.
    """
    try:
        (name,) = _read(path).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except ValueError as error:
        raise KeyFileError(f"{path}: no certificate of one name; copy it again") from error
    return str(name.value)


def end_s(path: Path) -> float:
    """When a certificate ends, Unix time in seconds.

    Raises:
        KeyFileError: the file is missing, or is no certificate.
    """
    return _read(path).not_valid_after_utc.timestamp()


def _read(path: Path) -> x509.Certificate:
    try:
        return parse_certificate(path.read_bytes())
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise KeyFileError(f"{path}: no certificate; copy it again") from error
