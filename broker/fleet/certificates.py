"""X.509 for the fleet: what a certificate of it says, and until when.

A certificate's common name is the user name and the client id at the broker: a device's is its
name, a worker's is `<pool>.<worker>`, the operator's is `.operator`, that of who serves releases is
`.releases`, that of who only watches `.exporter`. Names have no dots, so none of these can be
another's.

All begin in 1970, since a board without a battery clock may wake up there. Those of devices,
workers and who serves end. The authority's and the broker's do not: a fleet that fell silent on one
day would be worse than a stolen broker key, whose thief can do no more than any broker, and none is
trusted. The operator's lies beside the key that could make another.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from broker.fleet.errors import BadNameError
from broker.wire.certificate import parse_certificate
from broker.wire.topics import FleetId, PoolId, WorkerId

OPERATOR: Final = ".operator"
RELEASES: Final = ".releases"  # who serves them
EXPORTER: Final = ".exporter"
LOCAL_HOSTS: Final = ("localhost", "127.0.0.1", "::1")
CLIENT_LIFE_S: Final = 5 * 365 * 86_400
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)  # RFC 5280, section 4.1.2.5
_MAX_NAME: Final = 64  # of a common name: RFC 5280, appendix A.1
_HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")


@dataclass(frozen=True, slots=True)
class Authority:
    """Signs certificates, and is known by one."""

    certificate: x509.Certificate
    key: EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def new(cls, fleet: FleetId) -> Self:
        """Make the authority of a fleet."""
        key = new_key()
        public = key.public_key()
        name = _common_name(f"fleet {fleet}"[:_MAX_NAME])
        certificate = (
            _begun(name, name, public, _NEVER)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .sign(key, SHA256())
        )
        return cls(certificate, key)

    @property
    def pem(self) -> bytes:
        """What others check its certificates with."""
        return self.certificate.public_bytes(Encoding.PEM)

    def client(self, name: str, public: EllipticCurvePublicKey, *, now_s: float) -> bytes:
        """A certificate (PEM) with which a device or a worker may connect as `name`."""
        end = datetime.fromtimestamp(int(now_s), UTC) + timedelta(seconds=CLIENT_LIFE_S)
        builder = _begun(_common_name(name), self.certificate.subject, public, end)
        return self._issue(builder, ExtendedKeyUsageOID.CLIENT_AUTH)

    def operator(self, public: EllipticCurvePublicKey) -> bytes:
        """A certificate (PEM) with which the operator may connect."""
        builder = _begun(_common_name(OPERATOR), self.certificate.subject, public, _NEVER)
        return self._issue(builder, ExtendedKeyUsageOID.CLIENT_AUTH)

    def server(self, hosts: tuple[str, ...], public: EllipticCurvePublicKey) -> bytes:
        """A certificate (PEM) for a broker that is reached by these names and addresses.

        Raises:
            BadNameError: one of them is neither, or there is none.
        """
        builder = _begun(_common_name("broker"), self.certificate.subject, public, _NEVER)
        builder = builder.add_extension(_alternatives(hosts), critical=False)
        return self._issue(builder, ExtendedKeyUsageOID.SERVER_AUTH)

    def _issue(self, builder: x509.CertificateBuilder, use: x509.ObjectIdentifier) -> bytes:
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        certificate = (
            builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
            .add_extension(issuer, critical=False)
            .sign(self.key, SHA256())
        )
        return certificate.public_bytes(Encoding.PEM)


def is_host(text: str) -> bool:
    """Whether `text` may be a host's name: RFC 1123, section 2.1."""
    return _HOST.fullmatch(text.lower()) is not None


def worker_name(pool: PoolId, worker: WorkerId) -> str:
    """The common name of a worker's certificate.

    Raises:
        BadNameError: it is too long for one.
    """
    name = f"{pool}.{worker}"
    if len(name) > _MAX_NAME:
        raise BadNameError(f"{name}: choose shorter names, {_MAX_NAME} characters together")
    return name


def new_key() -> EllipticCurvePrivateKey:
    """A key for TLS: P-256, which every broker takes."""
    return generate_private_key(SECP256R1())


def private_pem(key: EllipticCurvePrivateKey) -> bytes:
    """A private key as TLS libraries read it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def end_s(pem: bytes) -> int:
    """When a certificate ends, Unix time in seconds.

    Raises:
        ValueError: it is none.
    """
    return int(parse_certificate(pem).not_valid_after_utc.timestamp())


def _begun(
    subject: x509.Name, issuer: x509.Name, public: EllipticCurvePublicKey, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_BEGINNING)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _common_name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _alternatives(hosts: tuple[str, ...]) -> x509.SubjectAlternativeName:
    if not hosts:
        raise BadNameError("the broker has no name: give those that it is reached by")
    return x509.SubjectAlternativeName([_alternative(host) for host in hosts])


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        if not is_host(host):
            raise BadNameError(f"host {host!r}: neither a host name nor an address") from None
        return x509.DNSName(host.lower())


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
