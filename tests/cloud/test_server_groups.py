"""Servers in groups, from the request to the host, in a cloud that runs in this process."""

import pytest

from mininova.db import request_specs, server_groups
from tests.fixtures.cloud import Cloud

FAILS_ON_HOST_1 = """
- hosts: host-1
  operation: spawn
  failure: {probability: 1, message: the disk is full}
"""


@pytest.fixture
def cloud(make_cloud) -> Cloud:
    """Give a cloud of three hosts."""
    return make_cloud(hosts=("host-1", "host-2", "host-3"))


def group(cloud: Cloud, policy: str, **rules: int) -> str:
    """Make a group, and give its id."""
    body = {"server_group": {"name": "g", "policy": policy, **({"rules": rules} if rules else {})}}
    answer = cloud.request("POST", "/os-server-groups", body)
    assert answer.status_code == 200, answer.text
    return str(answer.json["server_group"]["id"])


def boot(cloud: Cloud, hints: dict[str, str], **more: object) -> str:
    """Ask for servers with hints, and give the id of the first; no message has been delivered yet."""
    body = {"server": cloud.wanted(**more), "os:scheduler_hints": hints}
    answer = cloud.request("POST", "/servers", body)
    assert answer.status_code == 202, answer.text
    return str(answer.json["server"]["id"])


def hosts(cloud: Cloud) -> list[str | None]:
    """Name the host of each server that is ACTIVE, and None for one that is not."""
    cloud.run()
    shown = cloud.request("GET", "/servers/detail?all_tenants=1", user="admin").json["servers"]
    return [it["OS-EXT-SRV-ATTR:host"] if it["status"] == "ACTIVE" else None for it in reversed(shown)]


def test_apart(cloud: Cloud):
    """Servers of an anti-affinity group get a host each; the fourth has a fault that says why it got none."""
    hints = {"group": group(cloud, "anti-affinity")}
    for _ in range(3):
        boot(cloud, hints)
    assert sorted(map(str, hosts(cloud))) == ["host-1", "host-2", "host-3"]
    uuid = boot(cloud, hints)
    cloud.run()
    assert "ServerGroupAntiAffinityFilter left none of 3 hosts" in cloud.show(uuid)["fault"]["message"]


def test_several_at_once(cloud: Cloud):
    """The servers of one request keep to the policy, too; all members are there, and leave with their deletion."""
    of = group(cloud, "anti-affinity", max_server_per_host=2)
    boot(cloud, {"group": of}, min_count=6)
    assert sorted(map(str, hosts(cloud))) == ["host-1", "host-1", "host-2", "host-2", "host-3", "host-3"]
    members = cloud.request("GET", f"/os-server-groups/{of}").json["server_group"]["members"]
    assert len(members) == 6
    assert cloud.show(members[0])["server_groups"] == [of]
    cloud.request("DELETE", f"/servers/{members[0]}")
    cloud.run()
    left = cloud.request("GET", f"/os-server-groups/{of}").json["server_group"]["members"]
    assert sorted(left) == sorted(members[1:])


def test_together(cloud: Cloud):
    """Servers of an affinity group get the host of the first."""
    hints = {"group": group(cloud, "affinity")}
    boot(cloud, hints)
    boot(cloud, hints, min_count=2)
    assert len(set(hosts(cloud))) == 1


def test_apart_after_a_failure(make_cloud):
    """A server that its host cannot build goes to no host that another member has got, also when none is left."""
    cloud = make_cloud(hosts=("host-1", "host-2", "host-3"), behaviour=FAILS_ON_HOST_1)
    of = group(cloud, "anti-affinity")
    boot(cloud, {"group": of}, min_count=3)
    assert sorted(map(str, hosts(cloud))) == ["None", "host-2", "host-3"]
    with cloud.db.read() as tx:
        tried = sorted(request_specs.get(tx, uuid).spec.retry.hosts for uuid in server_groups.members(tx, [of])[of])
    assert tried == [(), (), ("host-1",)]


def test_beside_another_and_away_from_it(cloud: Cloud):
    """The hints same_host and different_host are honoured; one that no filter reads is accepted."""
    first = boot(cloud, {"cabinet": "7"})
    cloud.run()
    boot(cloud, {"same_host": first})
    boot(cloud, {"different_host": first})
    there, beside, away = hosts(cloud)
    assert there == beside
    assert away in {"host-1", "host-2", "host-3"} - {there}


def test_apart_from_one_that_may_come_back(make_cloud):
    """A member that was resized counts on the host that it left, until that is confirmed."""
    cloud = make_cloud()
    of = {"group": group(cloud, "anti-affinity")}
    moved = boot(cloud, of)
    cloud.run()
    assert cloud.act(moved, "resize", {"flavorRef": "2"}) == 202
    cloud.run()
    refused = boot(cloud, of)
    cloud.run()
    assert "ServerGroupAntiAffinityFilter left none" in cloud.show(refused)["fault"]["message"]
    assert cloud.act(moved, "confirmResize") == 204
    cloud.run()
    taken = boot(cloud, of)
    cloud.run()
    assert cloud.instance(taken).host not in (None, cloud.instance(moved).host)
