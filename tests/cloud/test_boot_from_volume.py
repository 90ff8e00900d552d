"""Servers that boot with volumes: what they get, what is refused, and that nothing is left, whatever fails."""

from contextlib import suppress

import pytest
from sqlalchemy import func, select

from mininova import errors
from mininova.context import service_context
from mininova.db import block_devices, instances
from mininova.standins.cinder.in_process import VolumeService
from tests.cloud.test_volumes import new_volume, require_agreement, volume_of


def boot(cloud, *devices, version="2.96", **more):
    """Ask for a server without an image of its own, or with one."""
    server = {
        "name": "vm", "flavorRef": "1", "networks": "auto", "imageRef": "", "block_device_mapping_v2": devices, **more,
    }  # fmt: skip
    return cloud.request("POST", "/servers", {"server": server}, version=version)


def booted(cloud, *devices, **more):
    answer = boot(cloud, *devices, **more)
    assert answer.status_code == 202, answer.text
    return answer.json["server"]["id"]


def volume(cloud, **said):
    """Make a volume of the image; give its id."""
    headers = {"X-Auth-Token": cloud.login()}
    asked = {"size": 1, "imageRef": cloud.image, **said}
    answer = cloud.app.post("/volume/v3/volumes", json={"volume": asked}, headers=headers)
    assert answer.status_code == 202, answer.text
    return answer.json["volume"]["id"]


def root(uuid, source="volume", **more):
    return {"boot_index": 0, "uuid": uuid, "source_type": source, "destination_type": "volume", **more}


def test_from_a_volume(cloud):
    """The server has no image; it has the volume, from the host that it is on."""
    disk = volume(cloud)
    server = booted(cloud, root(disk))
    assert volume_of(cloud, disk)["status"] == "reserved"
    cloud.run()
    shown = cloud.show(server)
    assert (shown["status"], shown["image"]) == ("ACTIVE", "")
    assert shown["os-extended-volumes:volumes_attached"] == [{"id": disk, "delete_on_termination": False}]
    require_agreement(cloud, server, disk, has=True)
    (said,) = volume_of(cloud, disk)["attachments"]
    assert (said["device"], said["host_name"]) == ("/dev/vda", cloud.instance(server).host)


def rows(cloud, server):
    with cloud.db.read() as tx:
        return block_devices.of(tx, [server])


def attached(cloud, server):
    """Give the volumes of a server as the volume service shows them, by their disks' names."""
    assert [(row.status, row.due_at) for row in rows(cloud, server)] == [("attached", None)] * len(rows(cloud, server))
    shown = {row.device_name: volume_of(cloud, row.volume_id) for row in rows(cloud, server)}
    assert {volume["status"] for volume in shown.values()} <= {"in-use"}
    assert {each["server_id"] for volume in shown.values() for each in volume["attachments"]} <= {server}
    return shown


def snapshot(cloud, volume_id):
    headers = {"X-Auth-Token": cloud.login()}
    body = {"snapshot": {"volume_id": volume_id}}
    answer = cloud.app.post("/volume/v3/snapshots", json=body, headers=headers)
    assert answer.status_code == 202, answer.text
    return answer.json["snapshot"]["id"]


def volumes(cloud):
    headers = {"X-Auth-Token": cloud.login()}
    answer = cloud.app.get("/volume/v3/volumes/detail", headers=headers)
    return {each["id"]: each["status"] for each in answer.json["volumes"]}


def test_volumes_are_made_for_it(cloud):
    """Of an image, a snapshot and of nothing, as large as was asked for; those that were asked to go with it do."""
    taken = snapshot(cloud, volume(cloud))
    server = booted(
        cloud,
        root(cloud.image, "image", volume_size=2, delete_on_termination=True),
        {"source_type": "snapshot", "destination_type": "volume", "uuid": taken},
        {"source_type": "blank", "destination_type": "volume", "volume_size": 3, "device_name": "vdx", "tag": "data"},
    )  # fmt: skip
    assert cloud.show(server)["os-extended-volumes:volumes_attached"] == []
    cloud.run()
    assert cloud.show(server)["status"] == "ACTIVE"
    found = attached(cloud, server)
    assert {name: each["size"] for name, each in found.items()} == {"/dev/vda": 2, "/dev/vdb": 1, "/dev/vdx": 3}
    assert found["/dev/vda"]["volume_image_metadata"]["image_id"] == cloud.image
    assert (found["/dev/vdb"]["snapshot_id"], found["/dev/vdx"]["name"]) == (taken, f"{server}-blank-vol")
    assert cloud.request("DELETE", f"/servers/{server}").status_code == 204
    cloud.run()
    left = volumes(cloud)
    assert found["/dev/vda"]["id"] not in left
    assert {left[found[name]["id"]] for name in ("/dev/vdb", "/dev/vdx")} == {"available"}


def test_with_an_image_and_a_volume(cloud):
    """The volume is one more disk of a server that boots from its image."""
    data = new_volume(cloud)
    local = {"boot_index": 0, "uuid": cloud.image, "source_type": "image", "destination_type": "local"}
    more = {"uuid": data, "source_type": "volume", "destination_type": "volume", "boot_index": None}
    server = booted(cloud, local, more, imageRef=cloud.image)
    cloud.run()
    assert cloud.show(server)["image"]["id"] == cloud.image
    assert list(attached(cloud, server)) == ["/dev/vdb"]


def test_several_servers_have_volumes_of_their_own(cloud):
    """Each gets a volume of the image."""
    booted(cloud, root(cloud.image, "image", volume_size=1), max_count=2)
    cloud.run()
    servers = [each["id"] for each in cloud.request("GET", "/servers").json["servers"]]
    assert len({attached(cloud, server)["/dev/vda"]["id"] for server in servers}) == 2


def test_the_older_form(cloud):
    """A disk's name says whether the server boots from it."""
    disk, taken = volume(cloud), snapshot(cloud, volume(cloud))
    devices = [
        {"device_name": "vda", "volume_id": disk, "delete_on_termination": True},
        {"device_name": "/dev/vdc", "snapshot_id": taken, "volume_size": 2},
        {"device_name": "vdd", "no_device": True},
    ]
    server = booted(cloud, block_device_mapping=devices, block_device_mapping_v2=[])
    cloud.run()
    found = attached(cloud, server)
    assert {name: each["size"] for name, each in found.items()} == {"/dev/vda": 1, "/dev/vdc": 2}
    assert found["/dev/vda"]["id"] == disk


# ---- what is refused, and what fails


def test_a_volume_that_another_has(cloud):
    """The answer is Nova's; no server is made, and what was reserved before is free again."""
    taken, free = volume(cloud), new_volume(cloud)
    booted(cloud, root(taken))
    cloud.run()
    before = len(cloud.request("GET", "/servers").json["servers"])
    data = {"uuid": free, "source_type": "volume", "destination_type": "volume", "delete_on_termination": True}
    answer = boot(cloud, data, root(taken))
    assert answer.status_code == 400
    assert "status must be available or downloading to reserve, but the current status is in-use" in answer.text
    assert len(cloud.request("GET", "/servers").json["servers"]) == before
    assert volumes(cloud) == {taken: "in-use", free: "available"}


def no_host(cloud):
    for host in list(cloud.computes):
        cloud.lose_host(host)


def test_no_host_is_found(cloud):
    """A server that could not be built has no volumes, and none is made for it."""
    disk = volume(cloud)
    no_host(cloud)
    image = {"uuid": cloud.image, "source_type": "image", "destination_type": "volume", "volume_size": 1}
    server = booted(cloud, root(disk), image)
    cloud.run()
    assert cloud.show(server)["status"] == "ERROR"
    cloud.sweep()
    assert (volumes(cloud), rows(cloud, server)) == ({disk: "available"}, [])


def test_no_volume_can_be_made(cloud):
    """The fault says why, no other host is tried, and the volume that was there is free."""
    disk = volume(cloud)
    huge = {"source_type": "blank", "destination_type": "volume", "volume_size": 100_000}
    server = booted(cloud, root(disk), huge)
    cloud.run()
    shown = cloud.show(server)
    assert shown["status"] == "ERROR"
    assert "Block Device Mapping is Invalid" in shown["fault"]["message"]
    cloud.sweep()
    assert (volumes(cloud), rows(cloud, server)) == ({disk: "available"}, [])


def test_a_host_that_cannot(make_cloud):
    """The next host has the server and its volumes."""
    cloud = make_cloud(behaviour="rules: [{operation: spawn, hosts: host-2, failure: {}}]\n")
    disk = volume(cloud)
    server = booted(cloud, root(disk), root(cloud.image, "image", volume_size=1, boot_index=1))
    cloud.run()
    assert cloud.show(server)["status"] == "ACTIVE"
    hosts = {each["host_name"] for volume in attached(cloud, server).values() for each in volume["attachments"]}
    assert hosts == {cloud.instance(server).host}
    assert len(volumes(cloud)) == 2


def test_a_delete_in_the_middle(cloud):
    """Whether its host is known or not, nothing is left."""
    for let_run in (lambda: None, lambda: [cloud.broker.deliver_one() for _ in range(3)]):
        disk = volume(cloud)
        made = root(cloud.image, "image", volume_size=1, boot_index=1, delete_on_termination=True)
        server = booted(cloud, root(disk), made)
        let_run()
        assert cloud.request("DELETE", f"/servers/{server}").status_code == 204
        cloud.run()
        cloud.sweep()
        assert rows(cloud, server) == []
        assert set(volumes(cloud).values()) == {"available"}


def test_lost_messages_and_a_lost_host(cloud):
    """A lost build is sent again; where its host is dead, the next one has the volumes."""
    disk = volume(cloud)
    server = booted(cloud, root(disk))
    cloud.lose_messages()
    cloud.sweep()
    assert cloud.show(server)["status"] == "ACTIVE"
    assert set(attached(cloud, server)) == {"/dev/vda"}
    other = booted(cloud, root(cloud.image, "image", volume_size=1))
    while cloud.instance(other).host is None:
        assert cloud.broker.deliver_one()
    dead = cloud.instance(other).host
    cloud.lose_host(dead)
    for _ in range(2):  # at the first, a conductor sees how far it came
        cloud.sweep()
    (shown,) = attached(cloud, other).values()
    assert (cloud.show(other)["status"], cloud.instance(other).host == dead) == ("ACTIVE", False)
    assert [each["host_name"] for each in shown["attachments"]] == [cloud.instance(other).host]


def test_a_delete_while_a_volume_is_made(cloud, monkeypatch):
    """The conductor that made it sees that the server is gone, and takes it back."""
    disk, real = volume(cloud), VolumeService.complete
    made = root(cloud.image, "image", volume_size=1, boot_index=1, delete_on_termination=True)
    server = booted(cloud, root(disk), made)

    def complete_late(*args):
        if not calls:
            calls.append(args)
            assert cloud.request("DELETE", f"/servers/{server}").status_code == 204
            conductor.destroy_instance(service_context(), cloud.instance(server))
        real(*args)

    calls, conductor = [], next(iter(cloud.computes.values()))._conductor
    monkeypatch.setattr(VolumeService, "complete", complete_late)
    cloud.run()
    assert calls
    cloud.sweep()
    assert (rows(cloud, server), volumes(cloud)) == ([], {disk: "available"})


def test_another_hosts_volumes(cloud):
    """A host that is taken over gets no volumes of others' instances, nor its own out of turn."""
    server = booted(cloud, root(volume(cloud)))
    cloud.run()
    victim = cloud.instance(server)
    thief = next(host for host in cloud.computes if host != victim.host)
    for instance in (victim, victim.replace(host=thief)):
        with pytest.raises(Exception, match="connect_volumes"):
            cloud.computes[thief]._conductor.connect_volumes(service_context(), instance)
    with pytest.raises(errors.InstanceNotFound):
        cloud.computes[victim.host]._conductor.connect_volumes(service_context(), victim)


STEPS = [
    (VolumeService, "reserve", 1), (VolumeService, "reserve", 2), (VolumeService, "create", 1),
    (VolumeService, "complete", 2), (block_devices, "accept", 1), (block_devices, "accept", 2),
    (block_devices, "accept", 3), (instances, "create", 1),
]  # fmt: skip


@pytest.mark.parametrize(("where", "step", "nth"), STEPS, ids=lambda each: getattr(each, "__name__", str(each)))
def test_a_process_that_is_killed(cloud, monkeypatch, where, step, nth):
    """Killed before any step, the server has its volumes, or it never was and they are free."""
    disk = volume(cloud)
    made = root(cloud.image, "image", volume_size=1, boot_index=1, delete_on_termination=True)
    calls, real, death = [], getattr(where, step), [KeyboardInterrupt]

    def die(*args, **more):
        calls.append(args)
        if len(calls) == nth:
            raise death[-1]
        return real(*args, **more)

    monkeypatch.setattr(where, step, die)
    with suppress(KeyboardInterrupt):
        boot(cloud, root(disk), made)
    in_api = len(calls) >= nth
    death.append(SystemError)  # of a conductor, which is asked again
    cloud.run()
    monkeypatch.undo()
    cloud.run()
    cloud.sweep()
    cloud.sweep()
    found = cloud.request("GET", "/servers/detail").json["servers"]
    assert len(calls) >= nth
    assert [each["status"] for each in found] == ([] if in_api else ["ACTIVE"])
    if found:
        assert set(attached(cloud, found[0]["id"])) == {"/dev/vda", "/dev/vdb"}
    else:
        assert volumes(cloud) == {disk: "available"}
    with cloud.db.read() as tx:
        assert tx.execute(select(func.count()).select_from(block_devices.table)).scalar() == 2 * len(found)
