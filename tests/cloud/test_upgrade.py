"""Services of two versions in one cloud: a newer compute sends what its older conductors understand."""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated

import pytest

from mininova import rpc
from mininova.conductor.rpcapi import ConductorAPI
from mininova.context import RequestContext, service_context
from mininova.db import services
from mininova.objects import Instance, Service
from tests.fixtures.cloud import Cloud


class LaterConductorAPI(ConductorAPI):
    """ConductorAPI as some later release may declare it: 1.1 finds deleted instances, too."""

    version = "1.1"

    @rpc.call(since="1.0", idempotent=True)
    def get_instance(
        self, ctxt: RequestContext, uuid: str, deleted: Annotated[bool, rpc.since("1.1", dispensable=True)] = False
    ) -> Instance:
        """Read one instance."""


def register(cloud: Cloud, host: str, version: str) -> None:
    """Have a conductor record its versions, as its heartbeat does."""
    service = Service(binary="nova-conductor", host=host, topic="conductor", versions={"conductor": version})
    with cloud.db.write() as tx:
        services.report(tx, service, datetime.now(UTC))


@pytest.mark.parametrize(
    ("conductors", "spoken"), [(["1.0"], "1.0"), (["1.1"], "1.1"), (["1.1", "1.0"], "1.0"), (["1.9"], "1.1")]
)
def test_a_newer_compute_speaks_what_all_conductors_know(cloud: Cloud, conductors: list[str], spoken: str):
    """The compute sends the newest version that all conductors and itself understand, from its next heartbeat on."""
    peer = cloud.peers["compute.host-1"]
    for number, version in enumerate(conductors):
        register(cloud, f"ctl-{number}", version)
    cloud.learn(peer)
    cloud.events.clear()

    with suppress(rpc.RPCError):  # there is no such instance, and the conductor here is no later one
        LaterConductorAPI(peer).get_instance(service_context(), "u-1", deleted=True)

    (sent,) = (event.version for event in cloud.events if event.kind == "sent" and event.method == "get_instance")
    assert sent == spoken
