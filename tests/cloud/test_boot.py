"""One boot and what may happen to it, in a cloud that runs in this process."""

import pytest

from mininova.db import claims, hosts, networks
from tests.fixtures.cloud import Cloud

FAILS_ON_HOST_1 = """
- hosts: host-1
  operation: spawn
  failure: {probability: 1, message: the disk is full}
"""
FAILS_EVERYWHERE = """
- operation: spawn
  failure: {probability: 1, message: the disk is full}
"""


def used(cloud: Cloud) -> dict[str, int]:
    """Give the MiB of memory promised on each host."""
    with cloud.db.read() as tx:
        return {node.host: node.memory_mb_used for node, _ in hosts.states(tx)}


def test_boot_ends_active(cloud: Cloud):
    """A server that is asked for becomes ACTIVE on a host, with an address and its room claimed."""
    uuid = cloud.boot()
    assert cloud.show(uuid)["status"] == "BUILD"
    cloud.run()
    server = cloud.show(uuid)
    assert server["status"] == "ACTIVE"
    assert server["OS-EXT-STS:power_state"] == 1
    assert server["addresses"]["flat"][0]["addr"].startswith("10.0.")
    assert sorted(used(cloud).values()) == [0, 512]


def test_no_networks_no_address(cloud: Cloud):
    """A server with ``networks: none`` becomes ACTIVE without an address."""
    uuid = cloud.boot(networks="none")
    cloud.run()
    server = cloud.show(uuid)
    assert (server["status"], server["addresses"]) == ("ACTIVE", {})


def test_messages_of_a_boot(cloud: Cloud):
    """A boot takes twelve messages and no more: two casts, five calls and their replies."""
    cloud.events.clear()
    cloud.boot()
    cloud.run()
    sent = [e.pattern for e in cloud.events if e.kind == "sent"]
    assert sent.count("cast") + 2 * sent.count("call") == 12


def test_one_request_id(cloud: Cloud):
    """Every message of a boot, notifications too, carries the request id of its HTTP answer."""
    cloud.login()
    cloud.events.clear()
    server = {"name": "one", "imageRef": cloud.image, "flavorRef": "1", "networks": "auto"}
    answer = cloud.request("POST", "/servers", {"server": server})
    cloud.run()
    assert {e.request_id for e in cloud.events} == {answer.headers["x-openstack-request-id"]}


def test_retry_on_another_host(make_cloud):
    """A spawn that fails on one host succeeds on the other, and the first one's room is given back."""
    cloud = make_cloud(behaviour=FAILS_ON_HOST_1)
    uuids = [cloud.boot() for _ in range(4)]
    cloud.run()
    assert {cloud.show(uuid)["OS-EXT-SRV-ATTR:host"] for uuid in uuids} == {"host-2"}
    assert used(cloud) == {"host-1": 0, "host-2": 4 * 512}


def test_exhausted_retries_end_in_error(make_cloud):
    """When every host fails, the server ends in ERROR with a fault that says why, and holds no room."""
    cloud = make_cloud(behaviour=FAILS_EVERYWHERE)
    uuid = cloud.boot()
    cloud.run()
    server = cloud.show(uuid)
    assert server["status"] == "ERROR"
    assert "maximum number of retries" in server["fault"]["message"]
    assert "the disk is full" in server["fault"]["message"]
    assert set(used(cloud).values()) == {0}


def test_no_valid_host_names_the_filter(cloud: Cloud):
    """A flavor that fits nowhere ends in ERROR, and the fault names the filter that left nothing."""
    uuid = cloud.boot(flavorRef="5")
    cloud.run()
    first = cloud.show(uuid)
    assert first["status"] == "ACTIVE"
    more = [cloud.boot(flavorRef="5") for _ in range(4)]
    cloud.run()
    failed = [server for uuid in more if (server := cloud.show(uuid))["status"] == "ERROR"]
    assert failed
    assert all("Filter left none of 2 hosts" in server["fault"]["message"] for server in failed)


def test_multi_create_spreads(cloud: Cloud):
    """min_count servers of one request are scheduled together and share the hosts."""
    answer = cloud.request(
        "POST",
        "/servers",
        {"server": {"name": "m", "imageRef": cloud.image, "flavorRef": "1", "networks": "auto", "min_count": 4}},
    )
    assert answer.status_code == 202
    cloud.run()
    servers = cloud.request("GET", "/servers/detail").json["servers"]
    assert [s["status"] for s in servers] == ["ACTIVE"] * 4
    assert len({s["addresses"]["flat"][0]["addr"] for s in servers}) == 4
    assert used(cloud) == {"host-1": 1024, "host-2": 1024}


def test_more_than_fits_into_a_message(make_cloud):
    """Ten servers of one request, with the longest metadata, are built in halves, and read in pages."""
    cloud = make_cloud(hosts=("host-1",))
    metadata = {f"key-{number}": '"' * 255 for number in range(128)}  # a quote has four bytes on the wire
    server = {"name": "m", "imageRef": cloud.image, "flavorRef": "1", "networks": "auto", "min_count": 10}
    answer = cloud.request("POST", "/servers", {"server": {**server, "metadata": metadata}})
    assert answer.status_code == 202
    cloud.run()
    casts = [event for event in cloud.events if (event.kind, event.method) == ("sent", "build_instances")]
    assert len(casts) == 2

    cloud.computes["host-1"].reconcile()

    servers = cloud.request("GET", "/servers/detail").json["servers"]
    assert [s["status"] for s in servers] == ["ACTIVE"] * 10
    refused = [event.error for event in cloud.events if event.method == "reconcile_host" and event.error]
    assert [why.partition(":")[0] for why in refused] == ["MessageTooLong"] * 5  # until a page has six


def test_delete_before_the_conductor_looks(cloud: Cloud):
    """A delete before a host is chosen ends at once; the build that follows finds nothing to do."""
    uuid = cloud.boot()
    assert cloud.request("DELETE", f"/servers/{uuid}").status_code == 204
    cloud.run()
    assert cloud.request("GET", f"/servers/{uuid}").status_code == 404
    assert set(used(cloud).values()) == {0}


def test_delete_while_it_is_sent_to_its_host(cloud: Cloud):
    """A delete between the conductor and the compute node wins: no guest runs, nothing stays claimed."""
    uuid = cloud.boot()
    cloud.broker.deliver_one()  # the conductor's part
    assert cloud.show(uuid)["OS-EXT-SRV-ATTR:host"] is not None
    assert cloud.request("DELETE", f"/servers/{uuid}").status_code == 204
    cloud.run()
    assert cloud.request("GET", f"/servers/{uuid}").status_code == 404
    assert set(used(cloud).values()) == {0}
    assert [list(compute.driver.list_instance_uuids()) for compute in cloud.computes.values()] == [[], []]


def test_build_delivered_twice(cloud: Cloud):
    """A build that the broker delivers twice, and schedules twice, boots one guest once."""
    cloud.duplicate("conductor", "compute.host-1", "compute.host-2")
    uuid = cloud.boot()
    cloud.run()
    assert cloud.show(uuid)["status"] == "ACTIVE"
    assert sorted(used(cloud).values()) == [0, 512]
    assert sum(len(list(compute.driver.list_instance_uuids())) for compute in cloud.computes.values()) == 1


def test_refused_cast_fails_the_operation(cloud: Cloud):
    """A build that its compute node refuses for its version comes back, and ends in ERROR saying so."""
    cloud.pretend_version("compute", "9.0")
    uuid = cloud.boot()
    cloud.run()
    server = cloud.show(uuid)
    assert server["status"] == "ERROR"
    assert server["fault"]["message"] == "build_instance was refused: UnsupportedVersion"
    assert "9.0" in server["fault"]["details"]
    assert set(used(cloud).values()) == {0}


def test_guests_survive_a_restart(cloud: Cloud):
    """A compute process that starts again finds its guests running, and leaves them so."""
    uuid = cloud.boot()
    cloud.run()
    host = cloud.show(uuid)["OS-EXT-SRV-ATTR:host"]
    cloud.restart_compute(host)
    assert cloud.show(uuid)["status"] == "ACTIVE"
    assert list(cloud.computes[host].driver.list_instance_uuids()) == [uuid]


@pytest.mark.parametrize(
    ("action", "body", "ends"),
    [("os-stop", None, "SHUTOFF"), ("reboot", {"type": "SOFT"}, "ACTIVE"), ("reboot", {"type": "HARD"}, "ACTIVE")],
)
def test_power_actions(cloud: Cloud, action: str, body: object, ends: str):
    """Stop and both reboots are accepted, carried out by the host, and end where the state table says."""
    uuid = cloud.boot()
    cloud.run()
    assert cloud.act(uuid, action, body) == 202
    cloud.run()
    server = cloud.show(uuid)
    assert (server["status"], server["OS-EXT-STS:task_state"]) == (ends, None)


def test_the_next_servers_avoid_a_host_where_builds_failed(make_cloud):
    """As soon as it has reported that; a build that ends well there, for want of another host, has it forgotten."""
    cloud: Cloud = make_cloud(behaviour=FAILS_ON_HOST_1)
    failing = cloud.computes["host-1"]

    def tried() -> list[str]:
        cloud.events.clear()
        for _ in range(6):
            cloud.boot()
            cloud.run()
        failing.report()
        sent = [event for event in cloud.events if event.kind == "sent" and event.method == "build_instance"]
        return [event.receiver for event in sent]

    assert "compute.host-1" in tried()
    assert set(tried()) == {"compute.host-2"}
    (cloud.path / "behaviour.yaml").write_text("")
    cloud.lose_host("host-2")
    assert set(tried()) == {"compute.host-1"}
    with cloud.db.read() as tx:
        assert [node.failed_builds for node, _ in hosts.states(tx)] == [0, 0]


def test_second_action_conflicts(cloud: Cloud):
    """An action on a server that is busy with another one is refused with 409."""
    uuid = cloud.boot()
    cloud.run()
    assert cloud.act(uuid, "os-stop") == 202
    assert cloud.act(uuid, "os-stop") == 409


def test_console_output(cloud: Cloud):
    """The console of a server looks like a boot and names the server."""
    uuid = cloud.boot()
    cloud.run()
    answer = cloud.request("POST", f"/servers/{uuid}/action", {"os-getConsoleOutput": {"length": 5}})
    assert answer.status_code == 200
    assert answer.json["output"].count("\n") <= 5


def test_actions_are_listed(cloud: Cloud):
    """A server's actions, with their events, can be read: what was asked, and how it ended."""
    uuid = cloud.boot()
    cloud.run()
    (action,) = cloud.request("GET", f"/servers/{uuid}/os-instance-actions").json["instanceActions"]
    assert (action["action"], action["message"]) == ("create", None)
    path = f"/servers/{uuid}/os-instance-actions/{action['request_id']}"
    (event,) = cloud.request("GET", path, user="admin").json["instanceAction"]["events"]
    assert (event["event"], event["result"]) == ("compute__do_build_and_run_instance", "Success")


def test_delete_frees_everything(cloud: Cloud):
    """A deleted server is gone for its owner, and its guest, its room and its address are free."""
    uuid = cloud.boot()
    cloud.run()
    assert cloud.request("DELETE", f"/servers/{uuid}").status_code == 204
    cloud.run()
    assert cloud.request("GET", f"/servers/{uuid}").status_code == 404
    assert set(used(cloud).values()) == {0}
    with cloud.db.write() as tx:
        assert claims.of_instance(tx, uuid) is None
        assert networks.free(tx, uuid) is False
