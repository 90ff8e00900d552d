"""What aggregates say of their hosts is copied into the compute nodes, and counts instead of what the hosts report."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from mininova.db import aggregates, claims, hosts, services
from mininova.objects import Service


@pytest.fixture
def report(add_host, tx):
    """Report a host with no overcommit, and give the ratios that are recorded."""

    def report(host="host-1", **fields):
        services.report(tx, Service(binary="nova-compute", host=host, topic="compute"), datetime.now(UTC))
        add_host(tx, host, **fields)
        return ratios(tx, host)

    return report


def ratios(tx, host="host-1"):
    (node,) = hosts.search(tx, host=host)
    return node.cpu_allocation_ratio, node.ram_allocation_ratio, node.disk_allocation_ratio


def an_aggregate(tx, name="a", **said):
    aggregate = aggregates.create(tx, name, None)
    return aggregates.describe(tx, aggregate, {f"{room}_allocation_ratio": ratio for room, ratio in said.items()})


def test_in_and_out(tx, report):
    """It holds as soon as the host is in, also after reports; when it is out, the next report counts."""
    assert report() == (1.0, 1.0, 1.0)
    aggregate = aggregates.add_host(tx, an_aggregate(tx, cpu="4.0", disk="0.5"), "host-1")
    assert ratios(tx) == (4.0, 1.0, 0.5)
    assert report(vcpus=16) == (4.0, 1.0, 0.5)
    aggregates.remove_host(tx, aggregate, "host-1")
    assert report(vcpus=16) == (1.0, 1.0, 1.0)


def test_the_least_counts(tx, report):
    """Of several aggregates the least counts, and what is no ratio is not heard."""
    report()
    for name, ratio in (("a", "4"), ("b", "2"), ("c", "much"), ("d", "-1"), ("e", "inf"), ("f", "nan")):
        aggregates.add_host(tx, an_aggregate(tx, name, cpu=ratio), "host-1")
    assert ratios(tx) == (2.0, 1.0, 1.0)


def test_said_later(tx, report):
    """What is said of an aggregate reaches its hosts, and what is said no more as well."""
    report()
    aggregate = aggregates.add_host(tx, an_aggregate(tx), "host-1")
    aggregate = aggregates.describe(tx, aggregate, {"ram_allocation_ratio": "3"})
    assert ratios(tx) == (1.0, 3.0, 1.0)
    aggregates.describe(tx, aggregate, {"ram_allocation_ratio": None})
    assert report() == (1.0, 1.0, 1.0)


def test_a_report_that_says_nothing_new(tx, report):
    """It changes nothing, though the host reports another ratio than the one that counts."""
    report()
    aggregates.add_host(tx, an_aggregate(tx, cpu="4"), "host-1")
    (before,) = hosts.search(tx, host="host-1")
    report()
    assert hosts.search(tx, host="host-1") == [before]


def test_claims_are_held_to_it(tx, report, flavor):
    """A claim gets room by the ratio of the aggregate."""
    report(vcpus=1)
    aggregates.add_host(tx, an_aggregate(tx, cpu="2"), "host-1")
    assert [claims.claim(tx, str(uuid4()), "host-1", flavor) for _ in range(3)] == [True, True, False]
