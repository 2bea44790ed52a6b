"""What is read out of certificates: names and ends."""

import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from broker.fleet.certificates import CLIENT_LIFE_S, Authority, new_key
from broker.wire.certificate import check_certificate, common_name, end_s, load_tls_key
from broker.wire.errors import KeyFileError
from broker.wire.topics import FleetId


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    made = Authority.new(FleetId("home"))
    path = tmp_path / "tls.pem"
    path.write_bytes(made.client("main.1", new_key().public_key(), now_s=time.time()))
    return path


def test_a_certificate_says_who_and_until_when(certificate: Path) -> None:
    assert common_name(certificate) == "main.1"
    assert end_s(certificate) == pytest.approx(time.time() + CLIENT_LIFE_S, abs=60)


@pytest.mark.parametrize("content", [None, b"", b"no certificate"], ids=["gone", "empty", "other"])
def test_a_file_that_is_none_is_named(certificate: Path, content: bytes | None) -> None:
    certificate.unlink()
    if content is not None:
        certificate.write_bytes(content)

    for read in (common_name, end_s):
        with pytest.raises(KeyFileError, match=r"tls\.pem: "):
            read(certificate)


def pem(authority: Authority, name: str, key: EllipticCurvePrivateKey) -> str:
    return authority.client(name, key.public_key(), now_s=time.time()).decode()


OURS, OTHERS = Authority.new(FleetId("home")), Authority.new(FleetId("away"))
KEY = new_key()
MISFITS = {
    "of another authority": (pem(OTHERS, "board-1", KEY), "not one of the fleet's authority"),
    "no certificate": ("nothing", "not one of the fleet's authority"),
    "for another name": (pem(OURS, "board-2", KEY), "not for this device and its key"),
    "for another key": (pem(OURS, "board-1", new_key()), "not for this device and its key"),
}


@pytest.mark.parametrize(("certificate", "why"), MISFITS.values(), ids=MISFITS)
def test_a_certificate_that_is_not_for_us_is_refused(certificate: str, why: str) -> None:
    authority, public = OURS.pem.decode(), KEY.public_key()

    check_certificate(pem(OURS, "board-1", KEY), authority, name="board-1", key=public)
    with pytest.raises(KeyFileError, match=why):
        check_certificate(certificate, authority, name="board-1", key=public)


NO_KEYS = {
    "gone": None,
    "other": b"no key",
    "of another kind": Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    ),
}


@pytest.mark.parametrize("content", NO_KEYS.values(), ids=NO_KEYS)
def test_a_private_key_that_is_none_is_told(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "tls.key"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(KeyFileError, match=r"tls\.key: no private key"):
        load_tls_key(path)
