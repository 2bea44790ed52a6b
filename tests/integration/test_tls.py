"""Sessions over TLS with a real broker, and every way in which they must not come to be."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from broker.fleet import authority, certificates, keys
from broker.fleet.authority import open_authority
from broker.fleet.certificates import CLIENT_LIFE_S, Authority, new_key, private_pem
from broker.fleet.guard import guarded_broker
from broker.fleet.mosquitto import LOOPBACK, RunningBroker, running_broker
from broker.fleet.private import make_private
from broker.wire import session
from broker.wire.errors import KeyFileError
from broker.wire.session import Address
from broker.wire.tls import TlsFiles, Unproven, client_context
from tests.guarded import (
    DEVICES,
    FLEET,
    GuardedFleet,
    linked,
    make_guarded_fleet,
    make_strange_fleet,
    member,
)

pytestmark = pytest.mark.broker

BOARD = DEVICES[0]


@dataclass(frozen=True)
class Place:
    """A fleet with a running broker, another fleet, and room."""

    fleet: GuardedFleet
    other: GuardedFleet
    broker: RunningBroker
    folder: Path

    @property
    def address(self) -> Address:
        return member(self.fleet, self.broker, BOARD)


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tries again at once: a session that is closed in between waits for the end of the pause."""
    monkeypatch.setattr(session, "_FIRST_RETRY_S", (0.01, 0.02))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("tls")
    fleet, other = make_guarded_fleet(folder / "fleet"), make_strange_fleet(folder / "other")
    with guarded_broker(fleet.folder, folder / "broker") as broker:
        yield Place(fleet, other, broker, folder)


@pytest.mark.parametrize("host", ["localhost", LOOPBACK])
def test_a_member_connects_by_every_name_of_the_broker(place: Place, host: str) -> None:
    with linked(replace(place.address, host=host)) as link:
        assert (link.online(), link.offline()) == (1, [])


def files_of(folder: Path, made: Authority, *, now_s: float) -> TlsFiles:
    make_private(folder)
    authority.write_client(made, folder, BOARD, now_s=now_s)
    return TlsFiles.of(folder)


def broker_of_another_fleet(place: Place, stack: ExitStack) -> Address:
    folder = place.folder / "broker of another fleet"
    broker = stack.enter_context(guarded_broker(place.other.folder, folder))
    return member(place.fleet, broker, BOARD)


def device_of_another_fleet(place: Place, _: ExitStack) -> Address:
    files = place.other.files(BOARD)
    return replace(place.address, tls=replace(files, authority=place.fleet.files(BOARD).authority))


def expired_device(place: Place, _: ExitStack) -> Address:
    now_s = time.time() - CLIENT_LIFE_S - 60
    made = open_authority(place.fleet.folder)
    return replace(place.address, tls=files_of(place.folder / "expired", made, now_s=now_s))


def nobody(place: Place, _: ExitStack) -> Address:
    return replace(place.address, tls=Unproven())


def broker_of_another_name(place: Place, stack: ExitStack) -> Address:
    fleet = place.folder / "elsewhere"
    keys.init(fleet, FLEET, hosts=("broker.example.org",))
    broker = stack.enter_context(guarded_broker(fleet, place.folder / "broker elsewhere"))
    files = files_of(place.folder / "there", open_authority(fleet), now_s=time.time())
    return replace(place.address, host="localhost", port=broker.port, tls=files)


def broker_of_another_address(place: Place, stack: ExitStack) -> Address:
    fleet = place.folder / "by name"
    keys.init(fleet, FLEET, hosts=("localhost",))
    broker = stack.enter_context(guarded_broker(fleet, place.folder / "broker by name"))
    files = files_of(place.folder / "by", open_authority(fleet), now_s=time.time())
    return replace(place.address, host=LOOPBACK, port=broker.port, tls=files)


def broker_without_tls(place: Place, stack: ExitStack) -> Address:
    broker = stack.enter_context(running_broker(place.folder / "plain"))
    return replace(place.address, port=broker.port)


def device_without_tls(place: Place, _: ExitStack) -> Address:
    return replace(place.address, tls=None)


def expired_broker(place: Place, stack: ExitStack) -> Address:
    made, key = open_authority(place.fleet.folder), new_key()
    past = datetime(2020, 1, 1, tzinfo=UTC)
    subject, hosts = made.certificate.subject, certificates._alternatives((LOOPBACK,))
    begun = certificates._begun(subject, subject, key.public_key(), past)
    begun = begun.add_extension(hosts, critical=False)
    pem = made._issue(begun, ExtendedKeyUsageOID.SERVER_AUTH)
    return replace(place.address, port=stack.enter_context(server(place, pem, private_pem(key))))


def broker_of_old_tls(place: Place, stack: ExitStack) -> Address:
    tls = place.fleet.folder / "tls"
    pem, key = (tls / "broker.pem").read_bytes(), (tls / "broker.key").read_bytes()
    old = ssl.TLSVersion.TLSv1_2
    return replace(place.address, port=stack.enter_context(server(place, pem, key, newest=old)))


@contextmanager
def server(
    place: Place, pem: bytes, key: bytes, *, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
) -> Iterator[int]:
    """Something that speaks TLS as a broker would not."""
    path = place.folder / "server.pem"
    path.write_bytes(pem + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    context.maximum_version = newest
    listener = socket.create_server((LOOPBACK, 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
                with context.wrap_socket(connection, server_side=True) as secured:
                    secured.recv(1)
            except ssl.SSLError:
                pass
            except OSError:
                return

    thread = Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


REFUSED: dict[str, tuple[Callable[[Place, ExitStack], Address], str]] = {
    "another fleet's broker": (broker_of_another_fleet, "another authority made the broker's"),
    "another fleet's device": (device_of_another_fleet, "does not know who made our certificate"),
    "an expired device": (expired_device, "says that our certificate (tls.pem) has expired"),
    "a device without a certificate": (nobody, "wants a certificate and we sent none"),
    "a broker of another name": (broker_of_another_name, "is not for this name"),
    "a broker of another address": (broker_of_another_address, "is not for this address"),
    "a broker without TLS": (broker_without_tls, "no TLS is spoken on this port"),
    "a device without TLS": (device_without_tls, "the broker hung up"),
    "an expired broker": (expired_broker, "the broker's certificate has expired"),
    "a broker of an older TLS": (broker_of_old_tls, "the broker has no TLS 1.3"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_connection_that_must_not_be_says_why(place: Place, name: str) -> None:
    make, reason = REFUSED[name]

    with ExitStack() as stack, linked(make(place, stack)) as link:
        assert link.online() == 0
        assert reason in link.offline()[0]


def test_the_broker_speaks_no_older_tls(place: Place) -> None:
    context = client_context(place.fleet.files(BOARD))
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2

    with (
        socket.create_connection((LOOPBACK, place.broker.port)) as connection,
        pytest.raises(ssl.SSLError, match=r"(?i)protocol.version"),
    ):
        context.wrap_socket(connection, server_hostname=LOOPBACK)


@pytest.mark.parametrize("name", ["tls-ca.pem", "tls.pem", "tls.key"])
@pytest.mark.parametrize("content", [None, b"", b"no certificate"], ids=["gone", "empty", "other"])
def test_a_file_that_cannot_be_used_is_named(
    place: Place, tmp_path: Path, name: str, content: bytes | None
) -> None:
    files = files_of(tmp_path / "keys", open_authority(place.fleet.folder), now_s=time.time())
    (tmp_path / "keys" / name).unlink()
    if content is not None:
        (tmp_path / "keys" / name).write_bytes(content)

    with pytest.raises(KeyFileError, match=name.replace(".", r"\.")):
        client_context(files)


def test_a_key_of_another_certificate_is_told(place: Place) -> None:
    files = place.fleet.files(BOARD)

    with pytest.raises(KeyFileError, match=r"tls\.key is not its key"):
        client_context(replace(files, private_key=place.other.files(BOARD).private_key))
