"""TLS to the broker: 1.3 or nothing, both sides with a certificate of the fleet's authority.

A folder of keys holds `tls-ca.pem`, whom we believe, and `tls.pem` with `tls.key`, who we are. The
broker's certificate must be for the name that we connect to. What is sealed needs none of this; it
keeps strangers away from the broker, and who asks when from whoever listens on the way.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from broker.wire.errors import KeyFileError

AUTHORITY = "tls-ca.pem"
CERTIFICATE = "tls.pem"
PRIVATE_KEY = "tls.key"

# X509_V_ERR_...: openssl/x509_vfy.h
_NOT_YET_VALID, _EXPIRED, _WRONG_HOST, _WRONG_ADDRESS = 9, 10, 62, 64
_STRANGER = (
    "another authority made the broker's certificate: it is another fleet's broker, or "
    f"{AUTHORITY} is out of date; copy it again from the operator's folder"
)
_OF_THE_BROKER = {
    _NOT_YET_VALID: "the broker's certificate is not valid yet: set this machine's clock",
    _EXPIRED: "the broker's certificate has expired: give it a new one, or set this clock",
    _WRONG_HOST: "the broker's certificate is not for this name: connect to a name that it has, "
    "or make it one: 'firstline fleet hosts'",
    _WRONG_ADDRESS: "the broker's certificate is not for this address: connect to a name that it "
    "has, or make it one: 'firstline fleet hosts'",
}
_NO_TLS = "no TLS is spoken on this port: is it the right one?"
# What OpenSSL calls it; alerts are what the broker says of our certificate: RFC 8446, section 6.2.
_REASONS = {
    "CERTIFICATE_EXPIRED": f"the broker says that our certificate ({CERTIFICATE}) has expired",
    "CERTIFICATE_REVOKED": f"the broker says that our certificate ({CERTIFICATE}) is revoked",
    "CERTIFICATE_REQUIRED": f"the broker wants a certificate and we sent none: see {CERTIFICATE}",
    "UNKNOWN_CA": f"the broker does not know who made our certificate ({CERTIFICATE}): it is "
    "of another fleet",
    "BAD_CERTIFICATE": f"the broker takes our certificate ({CERTIFICATE}) for damaged",
    "PROTOCOL_VERSION": "the broker has no TLS 1.3",
    "UNSUPPORTED_PROTOCOL": "the broker has no TLS 1.3",
    "WRONG_VERSION_NUMBER": _NO_TLS,
}


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Where the three files lie."""

    authority: Path
    certificate: Path
    private_key: Path

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Those of a folder of keys."""
        return cls(folder / AUTHORITY, folder / CERTIFICATE, folder / PRIVATE_KEY)


@dataclass(frozen=True, slots=True)
class Unproven:
    """A broker that we cannot tell from another yet. Only a board that joins a fleet may do so."""


class _Socket(ssl.SSLSocket):
    """Closed when there is no agreement: paho forgets it without."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - the library's
        """Agree with the broker.

        Raises:
            OSError: there is no agreement.
        """
        try:
            super().do_handshake(block)
        except OSError as error:
            self.close()
            if isinstance(error, ConnectionError | ssl.SSLEOFError):
                raise ConnectionAbortedError(error.errno, _NO_TLS) from error
            raise


def client_context(files: TlsFiles | Unproven) -> ssl.SSLContext:
    """What a connection is made with.

    Raises:
        KeyFileError: a file is missing, or is no certificate or key.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks the chain and the host's name
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.sslsocket_class = _Socket
    if isinstance(files, Unproven):
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # Python's own choice from 3.13 on
    _load(context, files)
    return context


def explain(error: OSError) -> str:
    """Why there is no connection, and what can be done."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _OF_THE_BROKER.get(error.verify_code, _STRANGER)
    if isinstance(error, ssl.SSLError):
        reason = error.reason or ""
        told = (words for name, words in _REASONS.items() if reason.endswith(name))
        return next(told, f"TLS failed: {reason.lower().replace('_', ' ') or 'no reason given'}")
    return error.strerror or str(error) or type(error).__name__


def _load(context: ssl.SSLContext, files: TlsFiles) -> None:
    for path in (files.authority, files.certificate, files.private_key):
        _look_at(path)
    try:
        context.load_verify_locations(files.authority)
    except ssl.SSLError as error:
        raise KeyFileError(f"{files.authority}: no certificate; copy it again") from error
    try:
        context.load_cert_chain(files.certificate, files.private_key)
    except ssl.SSLError as error:
        raise KeyFileError(
            f"{files.certificate}: no certificate, or {files.private_key.name} is not its key; "
            "copy the whole folder again"
        ) from error


def _look_at(path: Path) -> None:
    try:
        path.open("rb").close()
    except OSError as error:
        raise KeyFileError(
            f"{path}: {error.strerror}. TLS needs it: enrol this machine again, or copy the whole "
            "folder"
        ) from error
