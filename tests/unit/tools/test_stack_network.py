"""The network of a stack: what a service sees while its way to the broker is cut, slow or half-open."""

import socket
import threading
import time
from contextlib import suppress

import pytest
from stack import ports
from stack.network import CUT, HALF_OPEN, SLOW, SLOW_S, Link, Network

WAY = "mininova-api"


@pytest.fixture
def way():
    """Give the network of one service to a broker that echoes."""
    with socket.create_server((ports.LOOPBACK, 0)) as broker:
        threading.Thread(target=serve, args=[broker], daemon=True).start()
        network = Network({WAY: Link(ports.pick(), broker.getsockname()[1])})
        network.start()
        yield network
        network.stop()


def serve(broker):
    """Send each connection what it sends."""
    while True:
        try:
            threading.Thread(target=echo, args=[broker.accept()[0]], daemon=True).start()
        except OSError:  # closed
            return


def echo(connection):
    """Send back what comes, until the end."""
    with connection, suppress(ConnectionResetError):
        while data := connection.recv(100):
            connection.sendall(data)


def connect(network):
    """Connect a service."""
    return socket.create_connection((ports.LOOPBACK, network.links[WAY].port), timeout=30)


def hear(network):
    """Connect a service, and read."""
    with connect(network) as service:
        service.recv(100)


def test_a_way_in_order_carries_both_directions(way):
    """What is sent comes back."""
    with connect(way) as service:
        service.sendall(b"hello")
        assert service.recv(100) == b"hello"


def test_a_cut_ends_connections_and_lets_none_in_until_it_is_mended(way):
    """The service is told at once."""
    with connect(way) as service:
        service.sendall(b"hello")
        service.recv(100)
        way.suffer(WAY, CUT)
        with pytest.raises(ConnectionResetError):
            service.recv(100)
    with pytest.raises(ConnectionResetError):
        hear(way)
    way.suffer(WAY, None)
    with connect(way) as service:
        service.sendall(b"hello")
        assert service.recv(100) == b"hello"


def test_half_open_connections_stay_up_and_carry_nothing(way):
    """No byte arrives and no error; when it is mended, the byte arrives late."""
    with connect(way) as service:
        way.suffer(WAY, HALF_OPEN)
        service.sendall(b"hello")
        service.settimeout(0.2)
        with pytest.raises(TimeoutError):
            service.recv(100)
        way.suffer(WAY, None)
        service.settimeout(30)
        assert service.recv(100) == b"hello"


def test_a_slow_way_is_late_in_both_directions(way):
    """Each piece waits."""
    with connect(way) as service:
        way.suffer(WAY, SLOW)
        began = time.monotonic()
        service.sendall(b"hello")
        assert service.recv(100) == b"hello"
        assert time.monotonic() - began >= 2 * SLOW_S
