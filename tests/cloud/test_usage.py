"""The usage audit reads from the real conductor, so it counts servers that were deleted meanwhile."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mininova import rpc
from mininova.compute.usage import UsageAudit
from mininova.conductor.rpcapi import ConductorAPI
from mininova.db.models import instances
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


def test_administrators_see_which_hosts_have_told(cloud: Cloud, tmp_path: Path):
    """One while it is at it and when it is done; the other has not told yet."""
    body = {"server": cloud.wanted(availability_zone="nova:host-1", min_count=2)}
    assert cloud.request("POST", "/servers", body, user="admin").status_code == 202
    cloud.run()
    now = datetime.now(UTC)
    with cloud.db.write() as tx:
        tx.execute(instances.update().values(launched_at=now - timedelta(hours=3)))
    seen = []

    class Looking(Kept):
        def flush(self, timeout: float) -> bool:
            moment = now.strftime("%Y-%m-%d %H:%M:%S.%f")
            answer = cloud.request("GET", f"/os-instance_usage_audit_log/{moment}", user="admin")
            seen.append(answer.json["instance_usage_audit_log"])
            return True

    peer = cloud.stranger("compute.host-1", "compute.host-1")
    notifier = rpc.Notifier(peer, "compute.host-1", drivers=[driver := Looking()])
    hour, mark = AuditPeriod.parse("hour"), tmp_path / "usage-told-until"
    UsageAudit("host-1", ConductorAPI(peer), notifier, period=hour, mark=mark, clock=lambda: now).tell_what_is_over()
    driver.flush(0)
    before, during, after = ({name: log[name] for name in ("hosts_not_run", "overall_status", "log")} for log in seen)
    assert (seen[-1]["total_instances"], seen[-1]["num_hosts_done"]) == (2, 1)
    none = "0 of 2 hosts done. 0 errors."
    assert before == {"hosts_not_run": ["host-1", "host-2"], "overall_status": none, "log": {}}
    told = {"instances": 2, "errors": 0, "message": "Instance usage audit ran for host host-1, 2 instances"}
    assert during == before | {"hosts_not_run": ["host-2"], "log": {"host-1": told | {"state": "RUNNING"}}}
    done = told | {"state": "DONE", "message": f"{told['message']} in 0.00 seconds."}
    status = "1 of 2 hosts done. 0 errors."
    assert after == {"hosts_not_run": ["host-2"], "overall_status": status, "log": {"host-1": done}}
