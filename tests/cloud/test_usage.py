"""The usage audit reads from the real conductor, so it counts servers that were deleted meanwhile."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mininova import rpc
from mininova.compute.usage import UsageAudit
from mininova.conductor.rpcapi import ConductorAPI
from mininova.notifications.audit_period import AuditPeriod
from mininova.rpc.notify.drivers import Kept
from mininova.rpc.transports.memory import MemoryTransport
from mininova.service.codec import CODEC
from tests.fixtures.cloud import Cloud


@pytest.fixture
def audit(cloud: Cloud, tmp_path: Path) -> tuple[UsageAudit, Kept]:
    """Give the audit of host-1 as it is when the present year is over, and its notifications."""
    peer = rpc.Peer(MemoryTransport(cloud.broker, user_id="compute.host-1"), name="compute.host-1", codec=CODEC)
    peer.start()
    kept = Kept()
    notifier = rpc.Notifier(peer, "compute.host-1", drivers=[kept])
    year = AuditPeriod.parse("year")  # an hour might end while the test runs
    over = year.end(year.beginning(datetime.now(UTC))) + timedelta(seconds=1)
    mark = tmp_path / "usage-told-until"
    return UsageAudit("host-1", ConductorAPI(peer), notifier, period=year, mark=mark, clock=lambda: over), kept


def test_a_period_of_a_host(cloud: Cloud, audit: tuple[UsageAudit, Kept]):
    """One server still runs, one was deleted within the period, and the third is another host's."""
    servers = [cloud.boot() for _ in range(4)]
    cloud.run()
    hosts = {uuid: cloud.show(uuid)["OS-EXT-SRV-ATTR:host"] for uuid in servers}
    here = [uuid for uuid in servers if hosts[uuid] == "host-1"]
    cloud.request("DELETE", f"/servers/{here[0]}")
    cloud.run()

    usage, kept = audit
    usage.tell_what_is_over()

    told = {each.payload["instance_id"]: each.payload for each in kept.notifications}
    assert sorted(told) == sorted(here)
    assert told[here[0]]["deleted_at"] != ""
    assert told[here[0]]["state"] == "deleted"
    assert {payload["deleted_at"] for uuid, payload in told.items() if uuid != here[0]} <= {""}
