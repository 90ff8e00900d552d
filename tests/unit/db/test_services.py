"""A service registers by its first heartbeat and is alive while they come."""

from datetime import UTC, datetime, timedelta

import pytest

from mininova import errors
from mininova.db import services
from mininova.objects import Service

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LATER = NOW + timedelta(seconds=10)
COMPUTE = Service(
    binary="nova-compute", host="host-1", topic="compute", availability_zone="nova", versions={"C": "1.0"}
)


def test_the_first_heartbeat_registers(tx):
    """The service gets a uuid, and is listed."""
    service = services.report(tx, COMPUTE, NOW)
    assert service == COMPUTE.replace(id=1, uuid=service.uuid, report_count=1, last_seen_up=NOW, created_at=NOW)
    assert services.get(tx, service.uuid) == services.get(tx, 1) == services.get(tx, "1") == service


def test_the_next_ones_count(tx):
    """A heartbeat updates what the process reports, and nothing else."""
    first = services.report(tx, COMPUTE, NOW)
    again = services.report(tx, COMPUTE.replace(versions={"C": "1.1"}, availability_zone="az2"), LATER)
    expected = first.replace(versions={"C": "1.1"}, availability_zone="az2", report_count=2, last_seen_up=LATER)
    assert again == expected == services.get(tx, first.uuid)


def test_a_heartbeat_does_not_enable(tx):
    """A service that an operator disabled stays disabled."""
    service = services.report(tx, COMPUTE, NOW)
    services.update(tx, service.uuid, disabled=True, disabled_reason="broken", forced_down=True)
    again = services.report(tx, COMPUTE, LATER)
    assert (again.disabled, again.disabled_reason, again.forced_down) == (True, "broken", True)


def test_racing_first_heartbeats_register_once(race, db):
    """Two conductors with the first heartbeats of one process register one service."""
    race(lambda tx, now: services.report(tx, COMPUTE, now), NOW, LATER)
    with db.read() as tx:
        assert [service.report_count for service in services.search(tx)] == [2]


def test_lists(tx):
    """Services are listed by host and binary, the oldest first."""
    for host, binary in (("b", "nova-compute"), ("a", "nova-compute"), ("a", "nova-conductor")):
        services.report(tx, COMPUTE.replace(host=host, binary=binary), NOW)

    def found(**wanted):
        return [(service.host, service.binary) for service in services.search(tx, **wanted)]

    assert found() == [("b", "nova-compute"), ("a", "nova-compute"), ("a", "nova-conductor")]
    assert found(host="a") == [("a", "nova-compute"), ("a", "nova-conductor")]
    assert found(host="a", binary="nova-conductor") == [("a", "nova-conductor")]
    assert found(host="c") == []


def test_the_compute_of_a_host(tx):
    """A host has one compute service at most, beside others."""
    for host, topic in (("a", "conductor"), ("a", "compute"), ("b", "compute"), ("c", "conductor")):
        services.report(tx, COMPUTE.replace(host=host, topic=topic, binary=f"nova-{topic}"), NOW)

    found = services.compute_on(tx, "a")
    assert (found.host, found.topic) == ("a", "compute")
    assert services.compute_on(tx, "c") is None


def test_an_unknown_service_is_not_found(tx):
    """Each function that needs a service names the missing one in its error."""
    for ask in (services.get, services.delete, lambda tx, uuid: services.update(tx, uuid, disabled=True)):
        with pytest.raises(errors.ServiceNotFound, match="none"):
            ask(tx, "none")


def test_a_deleted_service_is_gone(tx):
    """Its next heartbeat makes a new service."""
    service = services.report(tx, COMPUTE, NOW)
    services.delete(tx, service.uuid)
    assert services.search(tx) == []
    assert services.report(tx, COMPUTE, NOW).uuid != service.uuid


@pytest.mark.parametrize(
    ("heard", "forced_down", "up"),
    [
        (NOW, False, True),
        (NOW - timedelta(seconds=60), False, True),
        (NOW - timedelta(seconds=61), False, False),
        (NOW, True, False),
    ],
)
def test_a_service_is_alive_while_heartbeats_come(heard, forced_down, up):
    """A service is down after down_time seconds without a heartbeat, or when an operator says so."""
    service = COMPUTE.replace(last_seen_up=heard, forced_down=forced_down)
    assert services.is_up(service, NOW, 60) is up


def test_a_service_without_heartbeats_is_down():
    """A service without a heartbeat is down."""
    assert services.is_up(COMPUTE, NOW, 60) is False


def test_levels(tx):
    """For each topic and object, the registered versions are listed once; a service without any adds none."""
    for host, versions in (("a", {"C": "1.1", "O": "1.0"}), ("b", {"C": "1.0"}), ("c", {"C": "1.1"}), ("d", {})):
        services.report(tx, COMPUTE.replace(host=host, versions=versions), NOW)
    assert services.levels(tx) == {"C": ["1.0", "1.1"], "O": ["1.0"]}
