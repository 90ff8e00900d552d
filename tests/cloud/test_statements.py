"""What an operation costs the database in all services together, from its request to its end."""

from collections.abc import Callable

import pytest

from tests.fixtures.cloud import Cloud
from tests.fixtures.operations import again, ready_for
from tests.fixtures.statements import counted

# Those that read most: of hosts, groups, images and steps; what the api does for each is in tests/unit/api.
OPERATIONS = ("backup", "shelve", "resize", "live_migrate", "delete")


@pytest.fixture
def cloud(make_cloud: Callable[..., Cloud]) -> Cloud:
    """Give a cloud of four hosts."""
    return make_cloud(hosts=tuple(f"host-{number}" for number in range(4)))


def more(cloud: Cloud, count: int) -> None:
    """Add servers in groups, and aggregates with a host."""
    for _ in range(count):
        group = {"server_group": {"name": "some", "policy": "soft-anti-affinity"}}
        made = cloud.request("POST", "/os-server-groups", group).json["server_group"]["id"]
        body = {"server": cloud.wanted(metadata={"a": "b"}, tags=["c"]), "os:scheduler_hints": {"group": made}}
        cloud.request("POST", "/servers", body)
        name = {"aggregate": {"name": f"of-{made}"}}
        aggregate = cloud.request("POST", "/os-aggregates", name, user="admin").json["aggregate"]["id"]
        added = {"add_host": {"host": "host-0"}}
        cloud.request("POST", f"/os-aggregates/{aggregate}/action", added, user="admin")
    cloud.run()


def boots(cloud: Cloud, count: int) -> int:
    """Count the statements of a request for so many servers."""
    with counted(cloud.db) as statements:
        cloud.boot(min_count=count)
        cloud.run()
    return len(statements)


def costs(cloud: Cloud) -> dict[str, int]:
    """Count the statements of each operation, on a new server."""
    found = {}
    for operation in OPERATIONS:
        uuid = ready_for(cloud, operation)
        with counted(cloud.db) as statements:
            again(cloud, operation, uuid)
            cloud.run()
        found[operation] = len(statements)
    return found


def test_an_operation_costs_the_same_for_any_rows(cloud):
    """Twice as many servers, groups and aggregates make none dearer."""
    more(cloud, 3)
    before = costs(cloud)
    more(cloud, 3)
    assert costs(cloud) == before


def test_each_server_of_a_request_costs_the_same(cloud):
    """What many servers are asked for together costs no more for each than for a few."""
    boots(cloud, 1)
    two, four, six = (boots(cloud, count) for count in (2, 4, 6))
    assert six - four == four - two < two
