"""Listening sockets: shared by workers, never shared with another program."""

from __future__ import annotations

import socket

import pytest

from mxward.core.errors import ConfigError
from mxward.server.run import sockets


def test_one_socket_a_worker_on_one_port() -> None:
    bound = sockets.bind("127.0.0.1:0", 3, key="listener[0].address")
    try:
        assert len({sockets.address_of(sock) for sock in bound}) == 1
        assert not sockets.address_of(bound[0]).endswith(":0")
    finally:
        for sock in bound:
            sock.close()


def test_connections_wait_while_nobody_accepts() -> None:
    (sock,) = sockets.bind("127.0.0.1:0", 1, key="web.address")
    with sock, socket.create_connection(sock.getsockname(), timeout=5) as client:
        client.sendall(b"early")
        connection, _ = sock.accept()
        with connection:
            assert connection.recv(5) == b"early"


def test_a_port_in_use_is_refused_even_by_a_sharing_program() -> None:
    taken = sockets.bind("127.0.0.1:0", 1, key="x")  # has SO_REUSEPORT, as a second gateway would
    with taken[0]:
        address = sockets.address_of(taken[0])
        with pytest.raises(ConfigError, match=r"listener\[1\]\.address: .* is in use by another program"):
            sockets.bind(address, 2, key="listener[1].address", patience=0.1)


@pytest.mark.parametrize("address", ["192.0.2.1:2525", "[2001:db8::1]:2525"])
def test_addresses_that_are_not_ours(address: str) -> None:
    with pytest.raises(ConfigError, match=r"is not an address of this machine|cannot be bound"):
        sockets.bind(address, 1, key="web.address")
