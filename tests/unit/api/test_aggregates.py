"""Host aggregates: who is in them, and the zones that they make."""

from datetime import UTC, datetime
from typing import Any

import pytest

from mininova.db import services
from mininova.objects import Service


@pytest.fixture
def rack(api: Any) -> str:
    """Make an aggregate in the zone west."""
    body = {"aggregate": {"name": "rack-7", "availability_zone": "west"}}
    return str(admin(api, "POST", "", body).body["aggregate"]["id"])


def admin(api: Any, method: str, path: str, body: Any = None):
    return api(method, f"/os-aggregates{path}", body, user="admin", version="2.96")


def act(api: Any, aggregate: str, **action: Any):
    return admin(api, "POST", f"/{aggregate}/action", action)


def zone_of(api: Any, host: str) -> str:
    with api.db.read() as tx:
        return services.compute_on(tx, host).availability_zone


def beat(api: Any, host: str) -> None:
    """Have a host report that it is in the zone nova."""
    service = Service(binary="nova-compute", host=host, topic="compute", availability_zone="nova")
    with api.db.write() as tx:
        services.report(tx, service, datetime.now(UTC))


def test_a_host_is_in_the_zone_of_its_aggregate(api: Any, rack: str) -> None:
    """Also when it reports another; taken out, it is where it reports to be."""
    shown = act(api, rack, add_host={"host": "host-2"}).body["aggregate"]
    assert (shown["hosts"], shown["availability_zone"]) == (["host-2"], "west")
    beat(api, "host-2")
    assert zone_of(api, "host-2") == "west"
    act(api, rack, remove_host={"host": "host-2"})
    beat(api, "host-2")
    assert zone_of(api, "host-2") == "nova"


def test_another_zone_moves_the_hosts(api: Any, rack: str) -> None:
    """By an update as by metadata; a value of null takes it away."""
    act(api, rack, add_host={"host": "host-2"})
    admin(api, "PUT", f"/{rack}", {"aggregate": {"availability_zone": "east"}})
    assert zone_of(api, "host-2") == "east"
    act(api, rack, set_metadata={"metadata": {"availability_zone": "south", "ssd": "true"}})
    assert zone_of(api, "host-2") == "south"
    shown = act(api, rack, set_metadata={"metadata": {"availability_zone": None}}).body["aggregate"]
    assert (shown["metadata"], shown["availability_zone"]) == ({"ssd": "true"}, None)
    beat(api, "host-2")
    assert zone_of(api, "host-2") == "nova"


def test_a_host_is_in_one_zone(api: Any, rack: str) -> None:
    """A second aggregate may have it, if that makes no other zone."""
    act(api, rack, add_host={"host": "host-2"})
    other = admin(api, "POST", "", {"aggregate": {"name": "other", "availability_zone": "east"}})
    answer = act(api, other.body["aggregate"]["id"], add_host={"host": "host-2"})
    assert (answer.status, "already in availability zone 'west'" in answer.message) == (409, True)
    plain = admin(api, "POST", "", {"aggregate": {"name": "plain"}}).body["aggregate"]["id"]
    assert act(api, plain, add_host={"host": "host-2"}).status == 200
    act(api, plain, remove_host={"host": "host-2"})
    assert zone_of(api, "host-2") == "west"


def test_a_host_with_instances_stays_in_its_zone(api: Any, rack: str) -> None:
    """Their owners chose the zone."""
    api.active(host="host-2")
    answer = act(api, rack, add_host={"host": "host-2"})
    assert (answer.status, "contain instances in this zone" in answer.message) == (409, True)
    assert zone_of(api, "host-2") != "west"


@pytest.mark.parametrize(
    ("ask", "status", "words"),
    [
        (("POST", "", {"aggregate": {"name": "rack-7"}}), 409, "Aggregate rack-7 already exists."),
        (("GET", "/99"), 404, "Aggregate 99 could not be found."),
        (("GET", "/x"), 400, "id must be an integer"),
        (("POST", "/{}/action", {"add_host": {"host": "lost"}}), 404, "Compute host lost could not be found."),
        (("POST", "/{}/action", {"add_host": {"host": "host-1"}}), 409, "already has host host-1."),
        (("POST", "/{}/action", {"remove_host": {"host": "host-2"}}), 404, "Cannot remove host host-2 in aggregate"),
        (("DELETE", "/{}"), 400, "Host aggregate is not empty"),
        (("POST", "", {"aggregate": {"name": "n", "availability_zone": "a:b"}}), 400, "a:b"),
    ],
)
def test_what_is_refused(api: Any, rack: str, ask: Any, status: int, words: str) -> None:
    """In Nova's words."""
    act(api, rack, add_host={"host": "host-1"})
    method, path, *body = ask
    answer = admin(api, method, path.format(rack), *body)
    assert (answer.status, words in answer.message) == (status, True)


def test_another_name(api: Any, rack: str) -> None:
    """It may not be that of another; its own is no other's."""
    admin(api, "POST", "", {"aggregate": {"name": "other"}})
    assert admin(api, "PUT", f"/{rack}", {"aggregate": {"name": "other"}}).status == 409
    assert admin(api, "PUT", f"/{rack}", {"aggregate": {"name": "rack-7"}}).status == 200
    assert admin(api, "PUT", f"/{rack}", {"aggregate": {"name": "rack-8"}}).body["aggregate"]["name"] == "rack-8"


def test_for_administrators(api: Any) -> None:
    """A member makes none, and lists none."""
    assert api("POST", "/os-aggregates", {"aggregate": {"name": "mine"}}).status == 403
    assert api("GET", "/os-aggregates").status == 403
