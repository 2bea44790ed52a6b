"""Certificates of the fleet against Python's own TLS, both ends of it."""

import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import pytest

from broker.fleet import authority, passphrase
from broker.fleet.authority import certify_broker, create, open_authority, write_client
from broker.fleet.certificates import CLIENT_LIFE_S, end_s, worker_name
from broker.fleet.errors import BadNameError, NotAFleetError, PassphraseError
from broker.fleet.private import make_private
from broker.wire.topics import FleetId, PoolId, WorkerId

FLEET = FleetId("home")
RIGHT = "correct horse"
HOSTS = ("localhost", "127.0.0.1", "broker.example.org")


@dataclass(frozen=True, slots=True)
class Place:
    """A fleet's TLS, and the folder of one device of it."""

    folder: Path
    device: Path


def make_place(folder: Path, now_s: float) -> Place:
    made = create(folder, FLEET, hosts=HOSTS)
    make_private(folder / "device")
    write_client(made, folder / "device", "board-1", now_s=now_s)
    return Place(folder, folder / "device")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return make_place(tmp_path / "fleet", time.time())


def broker_side(place: Place) -> ssl.SSLContext:
    authorities = place.folder / "tls/ca.pem"
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=authorities)
    context.load_cert_chain(place.folder / "tls/broker.pem", place.folder / "tls/broker.key")
    context.verify_mode = ssl.CERT_REQUIRED
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


def device_side(device: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=device / "tls-ca.pem")
    context.verify_flags |= ssl.VERIFY_X509_STRICT  # Python's own choice from 3.13 on
    context.load_cert_chain(device / "tls.pem", device / "tls.key")
    return context


def greet(server: ssl.SSLContext, client: ssl.SSLContext, host: str = "localhost") -> str:
    """Connect a device to a broker; the name that the broker sees, or why there is none."""
    left, right = socket.socketpair()
    seen: list[str] = []

    def serve() -> None:
        with suppress(OSError), server.wrap_socket(left, server_side=True) as connection:
            subject = connection.getpeercert() or {}
            seen.append(str(subject["subject"]))
            connection.send(b".")

    thread = Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(right, server_hostname=host) as connection:
            connection.settimeout(5)
            connection.recv(1)  # a broker's refusal comes after the handshake: RFC 8446, section 2
    except ssl.SSLError as error:
        return error.reason or str(error)
    finally:
        thread.join(5)
        left.close()
        right.close()
    return seen[0]


@pytest.mark.parametrize("host", HOSTS)
def test_device_and_broker_know_each_other(place: Place, host: str) -> None:
    seen = greet(broker_side(place), device_side(place.device), host)

    assert seen == "((('commonName', 'board-1'),),)"


def test_the_broker_knows_its_operator(place: Place) -> None:
    seen = greet(broker_side(place), device_side(place.folder / "operator"))

    assert seen == "((('commonName', '.operator'),),)"


def stranger(place: Place, tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    other = make_place(tmp_path / "other", time.time())
    context = device_side(other.device)
    context.load_verify_locations(place.folder / "tls/ca.pem")
    return broker_side(place), context


def other_broker(place: Place, tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    other = make_place(tmp_path / "other", time.time())
    return broker_side(other), device_side(place.device)


def device_as_broker(place: Place, _: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    server = broker_side(place)
    server.load_cert_chain(place.device / "tls.pem", place.device / "tls.key")
    return server, device_side(place.device)


def broker_as_device(place: Place, _: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    client = device_side(place.device)
    client.load_cert_chain(place.folder / "tls/broker.pem", place.folder / "tls/broker.key")
    return broker_side(place), client


def expired_device(_: Place, tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    late = make_place(tmp_path / "late", time.time() - CLIENT_LIFE_S - 60)
    return broker_side(late), device_side(late.device)


Sides = Callable[[Place, Path], tuple[ssl.SSLContext, ssl.SSLContext]]
REFUSED: dict[str, tuple[Sides, str]] = {
    "a device of another fleet": (stranger, "UNKNOWN_CA"),
    "a broker of another fleet": (other_broker, "CERTIFICATE_VERIFY_FAILED"),
    "a device that poses as the broker": (device_as_broker, "CERTIFICATE_VERIFY_FAILED"),
    "the broker that poses as a device": (broker_as_device, "UNSUPPORTED_CERTIFICATE"),
    "a certificate that has ended": (expired_device, "CERTIFICATE_EXPIRED"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_tls_refuses(place: Place, tmp_path: Path, name: str) -> None:
    sides, reason = REFUSED[name]
    server, client = sides(place, tmp_path)

    assert reason in greet(server, client)


def test_a_broker_under_another_name_is_refused(place: Place) -> None:
    seen = greet(broker_side(place), device_side(place.device), "elsewhere.example.org")

    assert seen == "CERTIFICATE_VERIFY_FAILED"


def test_the_broker_gets_another_certificate_for_other_names(place: Place) -> None:
    certify_broker(open_authority(place.folder), place.folder, ("elsewhere.example.org",))

    assert greet(broker_side(place), device_side(place.device), "elsewhere.example.org") == (
        "((('commonName', 'board-1'),),)"
    )
    assert greet(broker_side(place), device_side(place.device)) == "CERTIFICATE_VERIFY_FAILED"


def test_nobody_but_the_owner_can_read_a_key(place: Place) -> None:
    modes = {path.stat().st_mode & 0o777 for path in place.folder.rglob("*") if path.is_file()}

    assert modes == {0o600}


def test_a_certificate_of_a_device_ends_after_its_life(tmp_path: Path) -> None:
    place = make_place(tmp_path, 1_700_000_000.7)

    assert end_s((place.device / "tls.pem").read_bytes()) == 1_700_000_000 + CLIENT_LIFE_S


@pytest.mark.parametrize("hosts", [(), ("",), ("a b",), ("-a",), ("a..b",), ("ü",), ("a/b",)])
def test_a_host_that_is_none_is_refused(tmp_path: Path, hosts: tuple[str, ...]) -> None:
    with pytest.raises(BadNameError, match="name"):
        create(tmp_path / "fleet", FLEET, hosts=hosts)

    assert not (tmp_path / "fleet").exists()


def test_names_that_are_too_long_together_are_refused() -> None:
    assert worker_name(PoolId("cloud"), WorkerId("one")) == "cloud.one"
    with pytest.raises(BadNameError, match="choose shorter names"):
        worker_name(PoolId("p" * 60), WorkerId("w" * 4))


def test_an_authority_opens_with_its_passphrase_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passphrase, "SCRYPT_N", 2**10)
    made = create(tmp_path, FLEET, hosts=HOSTS, passphrase=RIGHT)

    again = open_authority(tmp_path, RIGHT)

    assert again.pem == made.pem
    assert again.key.private_numbers() == made.key.private_numbers()
    for wrong in (f"{RIGHT}s", "", None):
        with pytest.raises(PassphraseError, match=r"ca\.key"):
            open_authority(tmp_path, wrong)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "no key": lambda tls: (tls / "ca.key").unlink(),
    "no certificate": lambda tls: (tls / "ca.pem").unlink(),
    "a key that is none": lambda tls: (tls / "ca.key").write_bytes(b"zz"),
    "a locked key that is none": lambda tls: (tls / "ca.key").write_bytes(b"{}"),
    "a locked key with a cost that is none": lambda tls: (tls / "ca.key").write_bytes(
        b'{"scrypt_n":1500,"salt":"00","sealed":"00"}'
    ),
    "a certificate that is none": lambda tls: (tls / "ca.pem").write_bytes(b"zz"),
    "another's key": lambda tls: (tls / "broker.key").rename(tls / "ca.key"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_authority_is_refused_with_what_to_do(place: Place, name: str) -> None:
    DAMAGES[name](place.folder / authority.FOLDER)

    with pytest.raises(NotAFleetError, match=r"(?i)restore a backup"):
        open_authority(place.folder, RIGHT)


def test_no_key_is_shown_when_an_authority_is_printed(place: Place) -> None:
    assert "key=" not in repr(open_authority(place.folder))
