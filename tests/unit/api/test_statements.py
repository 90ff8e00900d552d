"""What a request costs a database does not grow with the rows that it answers with."""

import pytest

from mininova.api.routes import ROUTES
from mininova.db import hosts, services
from mininova.objects import ComputeNode, Service
from mininova.wsgi.microversion import Microversion
from tests.fixtures.api_harness import WHEN, Api
from tests.fixtures.statements import counted

VERSIONS = ("2.1", "2.35", "2.53", "2.75", "2.96")
# Every list in each of these versions that has it; what is not in the compute database is not ours to count.
LISTS = [
    (route.template, version)
    for route in ROUTES
    for version in VERSIONS
    if route.method == "GET" and "<" not in route.template and route.template != "/os-baremetal-nodes"
    and route.serves(Microversion(*map(int, version.split("."))))
]  # fmt: skip
QUERIES = {
    "/servers": "?all_tenants=1&tags=a", "/servers/detail": "?all_tenants=1&tags=a",
    "/os-server-groups": "?all_projects=1", "/os-simple-tenant-usage": "?detailed=1",
    "/os-hypervisors": "?with_servers=1", "/os-hypervisors/detail": "?with_servers=1",
}  # fmt: skip


@pytest.fixture
def more(api: Api):
    """Add some of everything."""

    def add(first: int, count: int) -> None:
        names = [f"more-{number}" for number in range(first, first + count)]
        with api.db.write() as tx:
            for name in names:
                room = {"vcpus": 8, "memory_mb": 16384, "local_gb": 200}
                services.report(tx, Service(binary="nova-compute", host=name, topic="compute"), WHEN)
                hosts.report(tx, ComputeNode(host=name, hypervisor_hostname=name, **room))
        for name in names:
            flavor = {"name": name, "ram": 64, "vcpus": 1, "disk": 1, "id": name}
            group = api("POST", "/os-server-groups", {"server_group": {"name": name, "policies": ["anti-affinity"]}})
            aggregate = api("POST", "/os-aggregates", {"aggregate": {"name": name}}, user="admin").body["aggregate"]
            added = {"add_host": {"host": name}}
            api("POST", f"/os-aggregates/{aggregate['id']}/action", added, user="admin")
            api("POST", "/flavors", {"flavor": flavor}, user="admin")
            api("POST", "/os-keypairs", {"keypair": {"name": name}})
            said = {"security_group": {"name": name, "description": ""}}
            api("POST", "/os-security-groups", said, version="2.35", user="admin")
            uuid = api.active(name, hints={"group": group.body["server_group"]["id"]}, tags=["a"], version="2.52")
            api("POST", f"/servers/{uuid}/action", {"createImage": {"name": name}})

    return add


def costs(api: Api, path: str, version: str) -> int:
    """Count the statements of a request that is answered."""
    with counted(api.db) as statements:
        answer = api("GET", path + QUERIES.get(path, ""), version=version, user="admin")
    assert answer.status == 200, answer.body
    return len(statements)


def test_a_list_costs_the_same_for_any_rows(api, more):
    """Of every list that there is, for each version that shows it otherwise."""
    more(0, 2)
    before = {each: costs(api, *each) for each in LISTS}
    more(2, 4)
    after = {each: costs(api, *each) for each in LISTS}
    assert {each: (before[each], after[each]) for each in LISTS if before[each] != after[each]} == {}
