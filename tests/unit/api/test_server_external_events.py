"""What other services tell of servers is answered event by event."""

from typing import Any
from uuid import uuid4

import pytest

from mininova import rpc


def tell(api: Any, *events: dict[str, str], user: str = "admin", version: str = "2.96") -> Any:
    return api("POST", "/os-server-external-events", {"events": list(events)}, user=user, version=version)


def test_each_event_has_its_code(api: Any) -> None:
    """A server that is not there is 404, one without a host 422, an event that lacks its tag 400; together, 207."""
    active, building = api.active(), api.boot()
    events = [
        {"name": "network-changed", "server_uuid": active},
        {"name": "network-changed", "server_uuid": building},
        {"name": "network-changed", "server_uuid": str(uuid4())},
        {"name": "power-update", "server_uuid": active},
        {"name": "power-update", "server_uuid": active, "tag": "POWER_ON"},
    ]
    answer = tell(api, *events)
    assert answer.status == 207
    assert [(it["code"], it["status"]) for it in answer.body["events"]] == [
        (200, "completed"), (422, "failed"), (404, "failed"), (400, "failed"), (200, "completed"),
    ]  # fmt: skip
    assert tell(api, events[0]).status == 200


@pytest.mark.parametrize(
    ("name", "before", "since"),
    [("volume-extended", "2.50", "2.51"), ("power-update", "2.75", "2.76"), ("volume-reimaged", "2.92", "2.93")],
)
def test_an_event_is_known_from_its_microversion_on(api: Any, name: str, before: str, since: str) -> None:
    """Before that it is refused by name."""
    event = {"name": name, "server_uuid": api.active(), "tag": "x"}
    refused = tell(api, event, version=before)
    assert (refused.status, name in refused.message) == (400, True)
    assert tell(api, event, version=since).status == 200


def test_events_are_for_services_and_administrators(api: Any) -> None:
    """A member's event is refused."""
    assert tell(api, {"name": "network-changed", "server_uuid": api.active()}, user="member").status == 403


def test_the_host_is_told_of_a_port(api: Any) -> None:
    """It may wait for one that is plugged; it hears of no other event, and of none that is refused."""
    active, building = api.active(), api.boot()
    api.compute.sent.clear()
    plugged = {"name": "network-vif-plugged", "tag": "port"}
    tell(
        api, {**plugged, "server_uuid": active}, {**plugged, "server_uuid": active, "status": "failed"},
        {**plugged, "server_uuid": building}, {"name": "network-changed", "server_uuid": active},
    )  # fmt: skip
    assert [(host, method, instance.uuid, more) for host, method, instance, more in api.compute.sent] == [
        ("host-1", "external_instance_event", active, ("network-vif-plugged", "port", "completed")),
        ("host-1", "external_instance_event", active, ("network-vif-plugged", "port", "failed")),
    ]


def test_a_host_that_is_away_hears_nothing(api: Any) -> None:
    """The event is answered all the same: Nova has taken it."""
    active = api.active()
    api.compute.broken = rpc.RPCError("the broker is away")
    assert tell(api, {"name": "network-vif-plugged", "server_uuid": active, "tag": "port"}).status == 200
