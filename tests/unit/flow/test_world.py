"""The world as messages show it: services, queues, instances, and whose word counts for what."""

import pytest
from msgspec.structs import replace

from mininova import states
from mininova.flow.reports import SERVICES
from mininova.flow.world import World
from mininova.objects import ComputeNode, Service
from mininova.rpc.watch import flow

UUID = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
CONDUCTOR, HOST = "conductor.ctl-1", "compute.host-2"


@pytest.fixture
def world():
    """Give a world in which a heartbeat is late after 25 seconds, and its service down after 60."""
    return World(late_after=25.0, down_after=60.0)


@pytest.fixture
def report(new_story):
    """Give a function that makes the heartbeat of a host, as a conductor takes it."""

    def report(host: str, process: str = ""):
        told = new_story(f"req-{host}")
        service = Service(binary="nova-compute", host=host, topic="compute", versions={"compute": "1.1"})
        node = ComputeNode(host=host, hypervisor_hostname=host)
        told.cast(process or f"compute.{host}", CONDUCTOR, "report_state", service=service, node=node)
        return whole(told.events)

    return report


def whole(events):
    """Give each receipt the arguments of its message, as a receiver reports them."""
    sent = {event.message_id: event.payload for event in events if event.kind == "sent"}
    return [replace(event, payload=sent[event.message_id]) if event.kind == "received" else event for event in events]


def named(rows):
    """Give rows by their names."""
    return {row["name"]: row for row in rows}


def state_of(world, name: str, now: float):
    """Give the state of a service, or None when there is none."""
    return named(world.rows(now)["services"]).get(name, {}).get("state")


def test_a_boot_fills_the_world(world, boot):
    """After a boot its services are up, nothing waits or is in hand, and the server is active on its host."""
    world.take({SERVICES: boot})
    rows = world.rows(world.last)
    assert set(named(rows["services"])) == {"api.ctl-1", CONDUCTOR, "scheduler.ctl-1", HOST}
    assert {(row["state"], row["in_flight"]) for row in rows["services"]} == {("up", 0)}
    assert {row["name"]: row["depth"] for row in rows["queues"]} == {"conductor": 0, "scheduler": 0, HOST: 0}
    (instance,) = rows["instances"]
    assert [instance[key] for key in ("uuid", "name", "host", "vm_state", "task_state")] == [
        UUID, "web-1", "host-2", states.ACTIVE, None,
    ]  # fmt: skip


def test_the_order_of_reports_does_not_matter(world, boot):
    """A report that comes late brings no older state back, and leaves no message in a queue."""
    for event in [*boot[len(boot) // 2 :], *boot[: len(boot) // 2]]:
        world.take({SERVICES: [event]})
    rows = world.rows(world.last)
    assert {row["depth"] for row in rows["queues"]} == {0}
    assert rows["instances"][0]["vm_state"] == states.ACTIVE


def test_what_is_not_taken_waits(world, boot):
    """A cast that was sent to a host which is not there waits in its queue, and is in nobody's hands."""
    sent = next(event for event in boot if event.method == "build_instance")
    world.take({SERVICES: [sent]})
    assert named(world.rows(world.last)["queues"])[HOST]["depth"] == 1
    received = replace(sent, kind="received", receiver=HOST, at=sent.at + 1)
    world.take({SERVICES: [received]})
    rows = world.rows(world.last)
    assert named(rows["queues"])[HOST]["depth"] == 0
    assert named(rows["services"])[HOST]["in_flight"] == 1


def test_what_was_lost_on_purpose_waits_in_no_queue(world, boot):
    """The broker never had it."""
    sent = next(event for event in boot if event.method == "build_instance")
    world.take({SERVICES: [sent, replace(sent, kind="lost", payload={}, error="LostOnPurpose: number 1")]})
    assert named(world.rows(world.last)["queues"])[HOST]["depth"] == 0


def test_a_receipt_that_was_not_reported(world, boot):
    """A message counts as taken when one of the same sender was taken that came much later to the same queue."""
    sent = next(event for event in boot if event.method == "build_instance")
    later = replace(sent, message_id="later", at=sent.at + 10)
    world.take({SERVICES: [sent, later, replace(later, kind="received", receiver=HOST)]})
    assert named(world.rows(world.last)["queues"])[HOST]["depth"] == 0


def test_silence(world, report):
    """A host whose heartbeats do not come is in an unknown state, and then down; one more brings it up."""
    world.take({SERVICES: report("host-1")})
    began = world.last
    assert [state_of(world, "compute.host-1", began + s) for s in (0, 30, 61)] == ["up", "unknown", "down"]
    world.take({SERVICES: [replace(event, at=event.at + 90) for event in report("host-1")]})
    assert state_of(world, "compute.host-1", began + 91) == "up"


def test_a_service_that_stops_is_down_at_once(world, report):
    """A process says that it stops: each host that it stands for is down until it reports itself again."""
    told = [event for host in ("host-1", "host-2") for event in report(host, "compute.rack")]
    world.take({"compute.rack": told})
    assert [row["name"] for row in world.rows(world.last)["services"]] == [
        "compute.host-1",
        "compute.host-2",
        CONDUCTOR,
    ]
    assert {row["by"] for row in world.rows(world.last)["services"]} == {"compute.rack", ""}
    world.take(
        {"compute.rack": [replace(flow.heartbeat("compute.rack", "compute.rack", stopping=True), at=world.last)]}
    )
    assert {state_of(world, f"compute.{host}", world.last) for host in ("host-1", "host-2")} == {"down"}


def test_a_controller_reports_itself(world):
    """The api sends no message with its heartbeat; the flow hears of it all the same."""
    service = Service(binary="nova-api", host="ctl-1", topic="api")
    world.take({SERVICES: [flow.heartbeat("api.ctl-1", "api", service=service)]})
    assert [state_of(world, "api.ctl-1", world.last + s) for s in (0, 61)] == ["up", "down"]


def test_an_operator_disables_a_host(world, report, new_story):
    """What the Compute API answered about a service is known, and heartbeats do not change it."""
    asked = new_story()
    asked.http("PUT /v2.1/os-services/1", 200)
    (event,) = asked.events
    told = {"service": {"binary": "nova-compute", "host": "host-1", "status": "disabled"}}
    world.take({SERVICES: [*report("host-1"), replace(event, payload={"status": 200, **told})]})
    world.take({SERVICES: report("host-1")})
    assert state_of(world, "compute.host-1", world.last) == "disabled"


def test_a_deleted_instance_is_gone(world, boot, new_story, new_instance):
    """When a conductor has ended a delete the instance is gone, and what is told late brings it not back."""
    world.take({SERVICES: boot})
    assert world.changes(world.last)["instances"]
    deletes = new_story("req-2", boot[-1].at)
    deletes.call(HOST, CONDUCTOR, "destroy_instance", instance=new_instance(None, states.ACTIVE, host="host-2"))
    world.take({SERVICES: whole(deletes.events)})
    assert world.changes(world.last)["gone"] == [UUID]
    world.take({SERVICES: boot})
    assert world.rows(world.last)["instances"] == []


def test_only_changes_are_told(world, boot):
    """What did not change is not told again."""
    world.take({SERVICES: boot})
    assert world.changes(world.last)["instances"]
    assert world.changes(world.last) is None


def test_a_compute_speaks_for_itself_only(world, boot, new_instance, new_story):
    """A compute that was taken over moves no instance, ends none, and reports no other host, whatever it sends."""
    world.take({SERVICES: boot})
    before = world.rows(world.last)
    lies = new_story("req-3", boot[-1].at)
    mine = new_instance(None, states.ERROR, host="host-9", generation=99)
    lies.call("compute.host-9", "compute.host-9", "update_instance", mine, instance=mine)
    lies.call("compute.host-9", "compute.host-9", "destroy_instance", instance=mine)
    another = Service(binary="nova-compute", host="host-2", topic="compute", versions={"compute": "9.9"})
    lies.cast("compute.host-9", "compute.host-9", "report_state", service=another)
    world.take(
        {"compute.host-9": [*whole(lies.events), flow.heartbeat("compute.host-9", "compute.host-9", stopping=True)]}
    )
    after = world.rows(before["at"])
    assert after["instances"] == before["instances"]
    assert named(after["services"])[HOST] == named(before["services"])[HOST]


def test_the_word_of_a_conductor_about_a_compute_counts(world, boot):
    """What a conductor did for a compute is in that compute's share, and believed."""
    world.take({HOST: [event for event in boot if event.method == "update_instance" and event.kind != "sent"]})
    assert world.rows(world.last)["instances"][0]["vm_state"] == states.ACTIVE
