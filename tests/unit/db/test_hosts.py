"""Compute nodes report their capacity; what is claimed on them is not theirs to say."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import event

from mininova import errors
from mininova.db import claims, hosts, services
from mininova.objects import ComputeNode, Service

NODE = ComputeNode(
    host="host-1",
    hypervisor_hostname="host-1.cell",
    vcpus=8,
    memory_mb=4096,
    local_gb=100,
    cpu_info={"arch": "x86_64", "features": ["sse"]},
    image_properties={"hw_architecture": ["x86_64"]},
)


def test_the_first_report_registers(tx):
    """The node gets an id and a uuid, and all that it reported is stored."""
    node = hosts.report(tx, NODE)
    assert node == NODE.replace(id=1, uuid=node.uuid, updated_at=node.updated_at)
    assert hosts.get(tx, 1) == hosts.get(tx, "1") == hosts.get(tx, node.uuid) == node


def test_a_node_may_bring_its_uuid(tx):
    """A uuid that the host has stored is the node's."""
    assert hosts.report(tx, NODE.replace(uuid="7f3d")).uuid == "7f3d"


def test_a_report_changes_capacity(tx):
    """The report's values are stored; the id and the uuid stay."""
    first = hosts.report(tx, NODE)
    again = hosts.report(tx, NODE.replace(vcpus=16, running_vms=3))
    assert again == first.replace(vcpus=16, running_vms=3, updated_at=again.updated_at) == hosts.get(tx, first.id)
    assert again.updated_at > first.updated_at


def test_a_report_of_nothing_new_writes_nothing(tx):
    """Most heartbeats change nothing, and are not written."""
    first = hosts.report(tx, NODE)
    written = []
    event.listen(tx, "before_cursor_execute", lambda *call: written.append(call[2]))
    assert hosts.report(tx, NODE) == first
    assert [statement.split()[0] for statement in written] == ["SELECT"]


def test_a_report_never_touches_what_is_promised(tx, flavor):
    """A report cannot change the claims on the host."""
    hosts.report(tx, NODE)
    claims.claim(tx, "a", "host-1", flavor)
    node = hosts.report(tx, NODE.replace(vcpus=4, vcpus_used=0, memory_mb_used=4096))
    assert (node.vcpus_used, node.memory_mb_used, node.local_gb_used) == (1, 512, 1)


def test_a_forgotten_host_comes_back_with_its_promises(tx, flavor):
    """The claims of its instances count again when the host registers again."""
    hosts.report(tx, NODE)
    claims.claim(tx, "a", "host-1", flavor)
    assert hosts.delete(tx, "host-1") is True
    assert hosts.delete(tx, "host-1") is False
    node = hosts.report(tx, NODE)
    assert (node.vcpus_used, node.memory_mb_used, node.local_gb_used) == (1, 512, 1)


def test_racing_first_reports_register_once(race, db):
    """Two conductors with the node's first reports register one node."""
    race(lambda tx, node: hosts.report(tx, node), NODE, NODE)
    with db.read() as tx:
        assert len(hosts.search(tx)) == 1


def test_an_unknown_node_is_not_found(tx):
    """The error names what was asked for."""
    for asked in (7, "7", "7f3d"):
        with pytest.raises(errors.ComputeHostNotFound, match=str(asked)):
            hosts.get(tx, asked)


def test_lists(tx, add_host):
    """Nodes are listed by host or by a part of their name, in pages, the oldest first."""
    nodes = [add_host(tx, host) for host in ("host_b", "hostxa", "host_c")]

    def found(**wanted):
        return [node.host for node in hosts.search(tx, **wanted)]

    assert found() == ["host_b", "hostxa", "host_c"]
    assert found(host="hostxa") == ["hostxa"]
    assert found(pattern="t_") == ["host_b", "host_c"]
    assert found(limit=1) == ["host_b"]
    assert found(limit=1, marker=nodes[0].uuid) == found(limit=1, marker=nodes[0].id) == ["hostxa"]
    with pytest.raises(errors.InvalidInput, match=r"marker \[99\] not found"):
        found(marker=99)


def test_the_scheduler_sees_nodes_with_their_services(tx, add_host):
    """One query gives each node with its compute service; a node without one is left out."""
    now = datetime.now(UTC)
    pairs = []
    for host in ("host-1", "host-2"):
        service = services.report(tx, Service(binary="nova-compute", host=host, topic="compute"), now)
        services.report(tx, Service(binary="nova-conductor", host=host, topic="conductor"), now)
        pairs.append((add_host(tx, host), service))
    add_host(tx, "host-3")
    queries = []
    event.listen(tx, "before_cursor_execute", lambda *call: queries.append(call[2]))
    assert hosts.states(tx) == pairs
    assert len(queries) == 1
