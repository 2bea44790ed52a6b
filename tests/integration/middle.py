"""Somebody between a board and its broker, who ends the one TLS connection and begins another."""

import select
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

from broker.fleet.certificates import Authority, new_key, private_pem
from broker.wire.topics import FleetId


@dataclass
class Middle:
    """Somebody between the board and the broker, with a certificate of their own."""

    port: int
    seen: list[bytes] = field(default_factory=list)


Alter = Callable[[bytes], bytes]


@contextmanager
def middle(folder: Path, port: int, alter: Alter) -> Iterator[Middle]:
    """End the board's TLS, read what it says, and hand on what becomes of it."""
    folder.mkdir()
    key, authority = new_key(), Authority.new(FleetId("evil"))
    (folder / "key.pem").write_bytes(private_pem(key))
    (folder / "pem").write_bytes(authority.server(("localhost",), key.public_key()))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "pem", folder / "key.pem")
    client = ssl.create_default_context()
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    listener = socket.create_server(("127.0.0.1", 0))
    found = Middle(listener.getsockname()[1])

    def serve() -> None:
        while True:
            try:
                raw, _ = listener.accept()
            except OSError:
                return
            Thread(target=stand_between, args=(raw,), daemon=True).start()

    def stand_between(raw: socket.socket) -> None:
        with suppress(OSError), ExitStack() as stack:  # anybody may leave at any time
            stack.enter_context(raw)
            board = stack.enter_context(server.wrap_socket(raw, server_side=True))
            there = socket.create_connection(("127.0.0.1", port))
            relay(board, stack.enter_context(client.wrap_socket(there)))

    def relay(board: ssl.SSLSocket, broker: ssl.SSLSocket) -> None:
        """Both ways on one thread: OpenSSL must not read and write one connection on two."""
        others = {board: broker, broker: board}
        while True:
            for source in select.select([*others], [], [])[0]:
                for data in whole(source):
                    if not data:
                        return
                    found.seen.append(data)
                    others[source].sendall(alter(data))

    Thread(target=serve, daemon=True).start()
    try:
        yield found
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def whole(source: ssl.SSLSocket) -> list[bytes]:
    """What has come; an empty end if that is all, nothing if it was TLS's own."""
    found: list[bytes] = []
    source.settimeout(0.0)
    with suppress(ssl.SSLWantReadError):
        found.append(source.recv(65_536))
        while source.pending():
            found.append(source.recv(65_536))
    source.settimeout(None)
    return found
