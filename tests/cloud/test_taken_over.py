"""A compute node that was taken over, and what it gets from the conductor: host-1 is the attacker's, host-2 is not.

It speaks with its own identity and says what it likes.  Whatever it is refused leaves every table as it was, and stands
in the list of denials.  The broker in memory has no rights, so all that is refused here is refused by the services.
"""

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import inspect, text

from mininova import errors, rpc, states
from mininova.compute.rpcapi import ComputeAPI
from mininova.conductor.rpcapi import ConductorAPI
from mininova.context import service_context
from mininova.db import claims, hosts, identities, instances, request_specs
from mininova.objects import Fault, Instance, InstanceChanges
from mininova.scheduler.rpcapi import SchedulerAPI
from tests.fixtures.cloud import Cloud

CTXT = service_context()
FAULT = Fault(code=500, message="so says the attacker")


class TakenOver:
    """A cloud with a server on each of its hosts, and the first of them in bad hands."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud, self.peer = cloud, cloud.peers["compute.host-1"]
        self.conductor = ConductorAPI(self.peer)
        placed = {self.row(uuid).host: uuid for uuid in (self.boot(), self.boot())}
        self.own, self.theirs = placed["host-1"], placed["host-2"]

    def boot(self) -> str:
        """Have a server built."""
        uuid = self.cloud.boot()
        self.cloud.run()
        return uuid

    def row(self, uuid: str) -> Instance:
        """Read an instance as it is."""
        with self.cloud.db.read() as tx:
            return instances.get(tx, uuid, deleted=True)

    def pretended(self, **changes: Any) -> Instance:
        """Give the other host's instance, as if it were here."""
        return self.row(self.theirs).replace(host="host-1", **changes)

    def everything(self) -> dict[str, list[Any]]:
        """Read all tables but the list of denials."""
        with self.cloud.db.read() as tx:
            return {
                name: [tuple(row) for row in tx.execute(text(f"SELECT * FROM {name}"))]
                for name in inspect(tx).get_table_names()
                if name != "denials"
            }


@pytest.fixture
def there(cloud: Cloud) -> TakenOver:
    """Give a cloud of which one host was taken over."""
    return TakenOver(cloud)


# Each does one thing that is not the attacker's to do: the method, the object that the denial names, and the deed.
ATTACKS: dict[str, tuple[str, Any, Any]] = {
    "update another's, saying where it is": (
        "update_instance",
        lambda it: it.theirs,
        lambda it: it.conductor.update_instance(CTXT, it.row(it.theirs), None, InstanceChanges(power_state=4)),
    ),
    "update another's, saying that it is here": (
        "update_instance",
        lambda it: it.theirs,
        lambda it: it.conductor.update_instance(CTXT, it.pretended(), None, InstanceChanges(power_state=4)),
    ),
    "repeat another's last update, saying that it is here": (
        "update_instance",
        lambda it: it.theirs,
        lambda it: it.conductor.update_instance(
            CTXT,
            it.pretended(generation=it.row(it.theirs).generation - 1),
            "build",
            InstanceChanges(vm_state="active", task_state=None),
        ),
    ),
    "fail another's operation": (
        "fail_instance",
        lambda it: it.theirs,
        lambda it: it.conductor.fail_instance(CTXT, it.pretended(), "delete", FAULT),
    ),
    "delete another's": (
        "destroy_instance",
        lambda it: it.theirs,
        lambda it: it.conductor.destroy_instance(CTXT, it.pretended()),
    ),
    "have an address lent to another's": (
        "allocate_network",
        lambda it: it.theirs,
        lambda it: it.conductor.allocate_network(CTXT, it.pretended(networks="auto")),
    ),
    "take another's away from its host": (
        "reschedule_instance",
        lambda it: it.theirs,
        lambda it: it.conductor.reschedule_instance(CTXT, it.pretended(), FAULT),
    ),
    "read another's": (
        "get_instance",
        lambda it: it.theirs,
        lambda it: it.conductor.get_instance(CTXT, it.theirs),
    ),
    "list what is on another host": (
        "get_instances",
        lambda it: "host host-2",
        lambda it: it.conductor.get_instances(CTXT, "host-2"),
    ),
    "ask who does what on another host": (
        "get_actions",
        lambda it: "host host-2",
        lambda it: it.conductor.get_actions(CTXT, "host-2"),
    ),
    "name an operation that there is not": (
        "update_instance",
        lambda it: it.own,
        lambda it: it.conductor.update_instance(CTXT, it.row(it.own), "resize", InstanceChanges(power_state=4)),
    ),
    "write its own as deleted": (
        "update_instance",
        lambda it: it.own,
        lambda it: it.conductor.update_instance(CTXT, it.row(it.own), None, InstanceChanges(vm_state="deleted")),
    ),
    "bring its own into an operation that nobody asked for": (
        "update_instance",
        lambda it: it.own,
        lambda it: it.conductor.update_instance(CTXT, it.row(it.own), "stop", InstanceChanges(**states.finish("stop"))),
    ),
    "delete its own, which nobody asked for": (
        "destroy_instance",
        lambda it: it.own,
        lambda it: it.conductor.destroy_instance(CTXT, it.row(it.own), datetime.now(UTC)),
    ),
    "fail what is not done to its own": (
        "fail_instance",
        lambda it: it.own,
        lambda it: it.conductor.fail_instance(CTXT, it.row(it.own), "delete", FAULT),
    ),
    "build its own again": (
        "allocate_network",
        lambda it: it.own,
        lambda it: it.conductor.allocate_network(CTXT, it.row(it.own)),
    ),
    "give its own back, which runs": (
        "reschedule_instance",
        lambda it: it.own,
        lambda it: it.conductor.reschedule_instance(CTXT, it.row(it.own), FAULT),
    ),
    "have servers built": (
        "build_instances",
        lambda it: it.own,
        lambda it: it.conductor.build_instances(CTXT, [it.row(it.own)], recorded(it, it.own).spec),
    ),
    "command another host": (
        "delete_instance",
        lambda it: it.theirs,
        lambda it: ComputeAPI(it.peer).on("host-2").delete_instance(CTXT, it.row(it.theirs)),
    ),
    "read another's console": (
        "get_console_output",
        lambda it: it.theirs,
        lambda it: ComputeAPI(it.peer).on("host-2").get_console_output(CTXT, it.row(it.theirs)),
    ),
    "have the scheduler claim room": (
        "select_destinations",
        lambda it: it.own,
        lambda it: SchedulerAPI(it.peer).select_destinations(CTXT, recorded(it, it.own).spec, [it.own]),
    ),
    "register as another host": (
        "report_state",
        lambda it: "host host-2",
        lambda it: report(it, service={"host": "host-2"}, node={"host": "host-2", "hypervisor_hostname": "host-2"}),
    ),
    "report another's room": (
        "report_state",
        lambda it: "host host-1",
        lambda it: report(it, node={"host": "host-2", "vcpus": 0}),
    ),
    "register as a conductor": (
        "report_state",
        lambda it: "host host-1",
        lambda it: report(it, service={"binary": "nova-conductor", "topic": "conductor"}),
    ),
    "say what the conductors speak": (
        "report_state",
        lambda it: "host host-1",
        lambda it: report(it, service={"versions": {"conductor": "1.0"}}),
    ),
    "take the name of another's node": (
        "report_state",
        lambda it: "host host-1",
        lambda it: report(it, node={"hypervisor_hostname": "host-2"}),
    ),
}  # fmt: skip


def recorded(it: TakenOver, uuid: str) -> Any:
    """Read what is recorded of a build."""
    with it.cloud.db.read() as tx:
        return request_specs.get(tx, uuid)


def report(it: TakenOver, service: Any = {}, node: Any = {}) -> None:
    """Send a heartbeat that is not quite that of host-1; what is a mapping has more in it than there was."""
    with it.cloud.db.read() as tx:
        ours = next(pair for pair in hosts.states(tx) if pair[0].host == "host-1")
    node = {name: getattr(ours[0], name) | said if isinstance(said, dict) else said for name, said in node.items()}
    it.conductor.report_state(CTXT, ours[1].replace(**service), ours[0].replace(**node))


@pytest.mark.parametrize("name", ATTACKS)
def test_attack(there: TakenOver, name: str):
    """What is not the attacker's to do is refused and listed, and changes nothing in the database."""
    method, about, deed = ATTACKS[name]
    before = there.everything()
    with suppress(rpc.RPCError):  # a cast is refused where it arrives, and comes back
        deed(there)
    there.cloud.run()
    assert there.everything() == before
    assert [denied[:3] for denied in there.cloud.denied()] == [("compute.host-1", method, about(there))]


def test_the_guest_of_another_still_runs(there: TakenOver):
    """A command that a compute sends to another is not carried out."""
    ComputeAPI(there.peer).on("host-2").delete_instance(CTXT, there.row(there.theirs))
    there.cloud.run()
    assert list(there.cloud.computes["host-2"].driver.list_instance_uuids()) == [there.theirs]


def test_a_stranger_is_refused(there: TakenOver):
    """A broker user that nobody has recorded, and a message without a user, get nothing."""
    before = there.everything()
    for name, user in (("compute.host-9", "compute.host-9"), ("compute.host-1", None)):
        peer = there.cloud.stranger(name, user)
        with pytest.raises((rpc.Forbidden, rpc.MessagingTimeout)):  # who has no name is not even answered
            ConductorAPI(peer).get_instances(CTXT, "host-1")
    assert there.everything() == before
    assert {caller for caller, *_ in there.cloud.denied()} == {"compute.host-9", ""}


def test_a_removed_compute_is_refused(there: TakenOver):
    """One whose identity an operator has removed gets nothing more, as soon as that is not remembered any more."""
    with there.cloud.db.write() as tx:
        identities.remove(tx, "compute.host-1")
    there.cloud.pass_seconds(5.0)
    with pytest.raises(rpc.Forbidden, match="its identity is not known"):
        there.conductor.get_instance(CTXT, there.own)


def test_an_old_update_of_its_own(there: TakenOver):
    """A replayed update meets another generation, as an honest one that is late does: a conflict, and no denial."""
    old = there.row(there.own)
    there.conductor.update_instance(CTXT, old, None, InstanceChanges(power_state=4))
    there.conductor.update_instance(CTXT, there.row(there.own), None, InstanceChanges(power_state=1))
    before = there.everything()
    with pytest.raises(errors.InstanceUpdateConflict):
        there.conductor.update_instance(CTXT, old, None, InstanceChanges(power_state=4))
    assert there.everything() == before
    assert there.cloud.denied() == []


def test_its_last_update_again(there: TakenOver):
    """Sent twice, an update is answered twice and written once, down to the record of the action."""
    old = there.row(there.own)
    there.cloud.act(there.own, "os-stop")
    stopping = there.row(there.own)
    there.cloud.run()
    before = there.everything()
    for instance in (old, stopping):
        with pytest.raises(errors.InstanceUpdateConflict):
            there.conductor.update_instance(CTXT, instance, "stop", InstanceChanges(**states.finish("stop")))
    last = there.row(there.own).replace(generation=there.row(there.own).generation - 1)
    there.conductor.update_instance(CTXT, last, "stop", InstanceChanges(**states.finish("stop")))
    assert there.everything() == before


def test_a_server_that_waits_for_its_first_host(there: TakenOver):
    """Nobody can take over a build that was given to no host yet."""
    uuid = there.cloud.boot()
    before = there.everything()
    pretended = there.row(uuid).replace(host="host-1", generation=-1)
    there.conductor.reschedule_instance(CTXT, pretended, FAULT)
    there.cloud.broker.deliver_one()  # the api's cast, which was first
    there.cloud.run()
    assert there.everything().keys() == before.keys()
    assert there.row(uuid).vm_state == states.ACTIVE
    assert [denial[1] for denial in there.cloud.denied()] in ([], ["reschedule_instance"])


@pytest.mark.parametrize("said", [{"project_id": "another"}, {"flavor": "bigger"}, {"availability_zone": "gold"}])
def test_where_and_what_is_built_next(there: TakenOver, said: dict[str, Any]):
    """A host that gives an instance back has no say in where it goes, and what it is there: the record has."""
    uuid = building_on_host_1(there)
    before = there.row(uuid)
    if "flavor" in said:
        said = {"flavor": before.flavor.replace(memory_mb=64 * 1024)}
    there.conductor.reschedule_instance(CTXT, before.replace(**said), FAULT)
    there.cloud.run()
    after = there.row(uuid)
    assert (after.host, after.vm_state, after.availability_zone) == ("host-2", states.ACTIVE, "nova")
    assert (after.flavor, after.project_id, after.image_ref) == (before.flavor, before.project_id, before.image_ref)
    with there.cloud.db.read() as tx:
        assert claims.of_instance(tx, uuid).memory_mb == before.flavor.memory_mb


@pytest.mark.parametrize("launched_at", [datetime(1970, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)])
def test_a_moment_that_costs_its_owner(there: TakenOver, launched_at: datetime):
    """A build that ends does not end before it was asked for, nor in years to come."""
    uuid = building_on_host_1(there)
    instance = there.conductor.allocate_network(CTXT, there.row(uuid))
    before = there.everything()
    end = InstanceChanges(**states.finish("build"), launched_at=launched_at)
    with pytest.raises(rpc.Forbidden):
        there.conductor.update_instance(CTXT, instance, "build", end)
    assert there.everything() == before


def building_on_host_1(there: TakenOver) -> str:
    """Have a server's build arrive at the attacker's, who does nothing about it."""
    there.cloud.silence("host-1")
    for _ in range(4):
        uuid = there.boot()
        if there.row(uuid).host == "host-1":
            return uuid
    raise AssertionError("the scheduler prefers host-2")


# What is more than host-1 has, and than was recorded of it: of the service, and of the node.
MORE: dict[str, tuple[Any, Any]] = {
    "vcpus": ({}, {"vcpus": 1000}),
    "memory": ({}, {"memory_mb": 10**6}),
    "disk": ({}, {"local_gb": 10**6}),
    "vCPUs for each": ({}, {"cpu_allocation_ratio": 1000.0}),
    "memory for each": ({}, {"ram_allocation_ratio": 2.0}),
    "disk for each": ({}, {"disk_allocation_ratio": 1.5}),
    "images": ({}, {"image_properties": {"hw_architecture": ["x86_64", "s390x"]}}),
    "processors": ({}, {"cpu_info": {"traits": ["GOLD"]}}),
    "zone": ({"availability_zone": "gold"}, {}),
}


@pytest.mark.parametrize("of", MORE)
def test_more_room_counts_for_nothing(there: TakenOver, of: str):
    """A host that says more than was recorded offers what was recorded, and stays up; the claim is listed once."""
    service, node = MORE[of]
    before, was = there.everything(), beats(there)

    for _ in range(3):
        report(there, service, node)

    assert beats(there) == was + 3
    after = there.everything()
    assert {name for name in after if after[name] != before[name]} == {"services"}
    with there.cloud.db.read() as tx:
        assert {service.availability_zone for _, service in hosts.states(tx)} == {"nova"}
    assert [denied[:3] for denied in there.cloud.denied()] == [("compute.host-1", "report_state", "host host-1")]


def beats(there: TakenOver) -> int:
    """Tell how often host-1 has been heard of."""
    with there.cloud.db.read() as tx:
        return next(service.report_count for _, service in hosts.states(tx) if service.host == "host-1")


def test_less_room_may_be_reported(there: TakenOver):
    """A host may offer less than it did, and then again as much as was recorded."""
    for vcpus in (1, there.cloud.settings("compute", "host-1").fake.vcpus):
        report(there, node={"vcpus": vcpus})
        with there.cloud.db.read() as tx:
            assert next(node.vcpus for node, _ in hosts.states(tx) if node.host == "host-1") == vcpus
    assert there.cloud.denied() == []


def test_claims_are_not_its_to_free(there: TakenOver):
    """Room that is promised to another's server stays promised, whatever is said of it."""
    for deed in ("delete another's", "take another's away from its host"):
        with suppress(rpc.Forbidden):
            ATTACKS[deed][2](there)
    there.cloud.run()
    with there.cloud.db.read() as tx:
        assert claims.of_instance(tx, there.theirs).host == "host-2"
