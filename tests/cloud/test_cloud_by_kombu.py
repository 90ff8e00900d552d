"""The whole cloud over another broker than the one that the other tests here have: kombu's, in memory.

Handlers run in threads, so messages have no fixed order.  That broker vouches for no sender, so none is refused.
"""

import queue
from collections.abc import Iterator
from pathlib import Path

import pytest

from mininova import rpc
from mininova.rpc.transports.base import Transport
from mininova.rpc.transports.kombu import KombuTransport
from mininova.trust.processes import trust
from tests.fixtures.cloud import Cloud

PATIENCE = 20.0  # seconds for the next message; it takes some milliseconds


class CloudByKombu(Cloud):
    """A cloud whose messages go by plain kombu, by themselves."""

    spawn = staticmethod(rpc.server.in_a_thread)

    def _transport(self, user: str) -> Transport:
        return KombuTransport("kombu+memory://")

    def _trust(self, service: str) -> rpc.Trust:
        return trust(service, enforce=False)

    def close(self) -> None:
        """End the servers, and then the connections."""
        for server in self._servers.values():
            server.stop()
        for peer in self.peers.values():
            peer.stop()


@pytest.fixture
def events() -> "queue.Queue[rpc.MessageEvent]":
    """Give what happens to the messages of the cloud."""
    return queue.Queue()


@pytest.fixture
def cloud(tmp_path: Path, events: "queue.Queue[rpc.MessageEvent]") -> Iterator[Cloud]:
    """Start an api, a conductor, a scheduler and two computes."""
    started = CloudByKombu(tmp_path, watch=rpc.Flow(events.put))
    yield started
    started.close()


def test_an_instance_boots_over_kombu(cloud: Cloud, events: "queue.Queue[rpc.MessageEvent]"):
    """It is built on a host that the scheduler has chosen, and deleted there."""
    told = list[str]()

    def wait_for(state: str) -> None:
        while cloud.instance(uuid).vm_state != state:
            told.append(events.get(timeout=PATIENCE).method)

    uuid = cloud.boot()
    wait_for("active")
    assert cloud.show(uuid)["status"] == "ACTIVE"
    assert {"build_instances", "select_destinations", "build_instance"} <= set(told)
    assert cloud.request("DELETE", f"/servers/{uuid}").status_code == 204
    wait_for("deleted")
