"""The bench's bad network: it passes every byte until it is told not to."""

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from firstline.bench.tcp_proxy import TcpProxy

PATIENCE_S = 60.0
SHORT_S = 0.1


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """Something that listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE_S)
        yield server


@pytest.fixture
def proxy(server: socket.socket) -> Iterator[TcpProxy]:
    """A proxy in front of it."""
    with TcpProxy(server.getsockname()) as proxy:
        yield proxy


def connected(proxy: TcpProxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), PATIENCE_S)


def test_bytes_pass_in_both_directions(server: socket.socket, proxy: TcpProxy) -> None:
    with closing(connected(proxy)) as near, closing(server.accept()[0]) as far:
        near.sendall(b"question")
        far.sendall(b"answer")

        assert (far.recv(99), near.recv(99)) == (b"question", b"answer")


def test_a_cut_link_can_be_made_again(server: socket.socket, proxy: TcpProxy) -> None:
    with closing(connected(proxy)) as near, closing(server.accept()[0]) as far:
        proxy.cut()

        assert ended(near)
        assert ended(far)
    with closing(connected(proxy)) as near, closing(server.accept()[0]) as far:
        near.sendall(b"again")
        assert far.recv(99) == b"again"


def test_a_shut_link_lets_nobody_in_until_it_is_restored(
    server: socket.socket, proxy: TcpProxy
) -> None:
    proxy.shut()
    with closing(connected(proxy)) as near:
        assert ended(near)

    proxy.restore()

    with closing(connected(proxy)) as near, closing(server.accept()[0]) as far:
        near.sendall(b"again")
        assert far.recv(99) == b"again"


def test_a_held_link_looks_alive_and_loses_nothing(server: socket.socket, proxy: TcpProxy) -> None:
    with closing(connected(proxy)) as near, closing(server.accept()[0]) as far:
        proxy.hold()
        near.sendall(b"late")
        far.settimeout(SHORT_S)
        with pytest.raises(TimeoutError):
            far.recv(99)

        proxy.restore()

        far.settimeout(PATIENCE_S)
        assert far.recv(99) == b"late"


def test_who_asks_for_a_server_that_is_away_is_turned_away(server: socket.socket) -> None:
    with TcpProxy(server.getsockname()) as proxy:
        server.close()

        with closing(connected(proxy)) as near:
            assert ended(near)


def ended(connection: socket.socket) -> bool:
    """Whether the other side has gone."""
    try:
        return connection.recv(99) == b""
    except ConnectionResetError:
        return True
