"""What becomes of a server that boots from a volume: its volumes go with it, and what Nova refuses is refused."""

import json

import pytest

from mininova.conductor.shelving import Shelving
from mininova.context import service_context
from mininova.db import block_devices, claims, request_specs
from mininova.standins.cinder.in_process import VolumeService
from tests.cloud.test_boot_from_volume import attached, booted, root, rows, volume, volumes
from tests.cloud.test_volumes import attach, detach, new_volume, volume_of


def active(cloud, **more):
    """Make a server from a volume of the image; give its id, and the volume's."""
    disk = volume(cloud)
    server = booted(cloud, root(disk, **more))
    cloud.run()
    return server, disk


def another_image(cloud, **more):
    headers = {"X-Auth-Token": cloud.login()}
    said = {"name": "other", "disk_format": "qcow2", "container_format": "bare", **more}
    id = cloud.app.post("/image/v2/images", json=said, headers=headers).json["id"]
    as_data = {**headers, "Content-Type": "application/octet-stream"}
    assert cloud.app.put(f"/image/v2/images/{id}/file", data=b"x", headers=as_data).status_code == 204
    return id


def refusal(cloud, server, action, version="2.96"):
    answer = cloud.request("POST", f"/servers/{server}/action", action, version=version)
    assert answer.status_code == 400, answer.text
    return answer.json["badRequest"]["message"]


def hosts(cloud, server):
    return {each["host_name"] for row in rows(cloud, server) for each in volume_of(cloud, row.volume_id)["attachments"]}


def follows(cloud, server):
    """Tell whether the volume service knows where the server is, now and after a sweep, and its guest has its disk."""
    at_once, there = hosts(cloud, server), {cloud.instance(server).host}
    cloud.sweep()
    attached(cloud, server)
    return at_once == hosts(cloud, server) == there and disks(cloud, server) == ["vda"]


def test_what_is_refused(cloud):
    """Its volume stays its own, no other image is put on it before 2.93, and it has no backups."""
    server, disk = active(cloud)
    other = another_image(cloud)
    assert detach(cloud, server, disk) == 400
    backup = {"createBackup": {"name": "b", "backup_type": "daily", "rotation": 1}}
    assert refusal(cloud, server, backup) == "Backup is not supported for volume-backed instances."
    reason = "Unable to rebuild with a different image for a volume-backed server."
    assert refusal(cloud, server, {"rebuild": {"imageRef": other}}, "2.92") == reason
    large = another_image(cloud, min_disk=2)
    assert "Volume is smaller than the minimum size" in refusal(cloud, server, {"rebuild": {"imageRef": large}})
    assert refusal(cloud, server, {"rebuild": {"imageRef": disk}}) == "Cannot find image for rebuild"
    assert "Cannot rescue a volume-backed instance" in refusal(cloud, server, {"rescue": None})


def rebuild(cloud, server, image, version="2.96"):
    answer = cloud.request("POST", f"/servers/{server}/action", {"rebuild": {"imageRef": image}}, version=version)
    assert answer.status_code == 202, answer.text


def image_on(cloud, disk):
    return volume_of(cloud, disk)["volume_image_metadata"]["image_id"]


def driver_of(cloud, server):
    return cloud.computes[cloud.instance(server).host].driver


def disks(cloud, server):
    """Name the disks of the server's guest."""
    return driver_of(cloud, server).get_diagnostics(cloud.instance(server))["disk_names"]


def require_rebuilt(cloud, server, disk, image):
    """The server runs with its volumes, of which the first has the image, and shows none as before."""
    shown = cloud.show(server)
    assert (shown["status"], shown["image"]) == ("ACTIVE", "")
    assert image_on(cloud, disk) == image
    assert hosts(cloud, server) == {cloud.instance(server).host}
    cloud.sweep()
    attached(cloud, server)
    assert disks(cloud, server)[0] == "vda"


def test_a_rebuild(cloud):
    """It is made anew from the image of its volume; before 2.93 the volume stays as it is."""
    server, disk = active(cloud)
    rebuild(cloud, server, cloud.image, "2.92")
    cloud.run()
    require_rebuilt(cloud, server, disk, cloud.image)


def test_a_rebuild_with_another_image(cloud, monkeypatch):
    """Its volume gets the image while it is reserved; its other volumes are attached again."""
    server, disk = active(cloud)
    data = new_volume(cloud)
    assert attach(cloud, server, data).status_code == 200
    cloud.run()
    other = another_image(cloud)
    seen, real = [], VolumeService.complete

    def complete(*args):
        guests = driver_of(cloud, server).list_instance_uuids()
        seen.append((cloud.instance(server).task_state, volume_of(cloud, disk)["status"], server in guests))
        real(*args)

    monkeypatch.setattr(VolumeService, "complete", complete)
    rebuild(cloud, server, other)
    cloud.run()
    assert seen[0] == ("rebuild_block_device_mapping", "reserved", False)
    require_rebuilt(cloud, server, disk, other)
    assert disks(cloud, server) == ["vda", "vdb"]
    with cloud.db.read() as tx:
        assert request_specs.get(tx, server).spec.image.id == other
    rebuild(cloud, server, cloud.image)
    cloud.run()
    require_rebuilt(cloud, server, disk, cloud.image)


def test_an_image_that_the_volume_cannot_have(cloud):
    """The fault says why, the volume is the server's as before, and another rebuild mends it."""
    server, disk = active(cloud)
    gone = another_image(cloud)
    rebuild(cloud, server, gone)
    assert cloud.app.delete(f"/image/v2/images/{gone}", headers={"X-Auth-Token": cloud.login()}).status_code == 204
    cloud.run()
    shown = cloud.show(server)
    assert shown["status"] == "ERROR"
    assert f"Image {gone} could not be found" in shown["fault"]["message"]
    cloud.sweep()
    assert (image_on(cloud, disk), volumes(cloud)) == (cloud.image, {disk: "in-use"})
    rebuild(cloud, server, cloud.image)
    cloud.run()
    require_rebuilt(cloud, server, disk, cloud.image)


def test_a_volume_that_is_not_in_use(cloud):
    """A rebuild could not attach it again, and is refused."""
    server, disk = active(cloud)
    body = {"os-reset_status": {"status": "error"}}
    headers = {"X-Auth-Token": cloud.login("admin")}
    answer = cloud.app.post(f"/volume/v3/volumes/{disk}/action", json=body, headers=headers)
    assert answer.status_code == 202, answer.text
    assert "status must be 'in-use'" in refusal(cloud, server, {"rebuild": {"imageRef": cloud.image}})


STEPS = [
    (VolumeService, "reimage", 1),
    (VolumeService, "complete", 1),
    (block_devices, "turn", 1),
]


@pytest.mark.parametrize(("where", "step", "nth"), STEPS, ids=lambda each: getattr(each, "__name__", str(each)))
def test_a_conductor_that_is_killed_in_a_rebuild(cloud, monkeypatch, where, step, nth):
    """Killed before any step, and asked again or not, the server has its volume with the image, or as it was."""
    server, disk = active(cloud)
    other, calls, real = another_image(cloud), [], getattr(where, step)

    def die(*args, **more):
        calls.append(args)
        if len(calls) == nth:
            raise SystemError("the conductor is killed")
        return real(*args, **more)

    monkeypatch.setattr(where, step, die)
    rebuild(cloud, server, other)
    cloud.run()
    assert len(calls) >= nth
    monkeypatch.undo()
    cloud.run()
    for _ in range(2):
        cloud.sweep()
    require_rebuilt(cloud, server, disk, other)


def test_a_host_that_dies_in_a_rebuild(cloud, monkeypatch):
    """The volume, half-way written, is the server's, which is in ERROR; it is evacuated with what the volume has."""
    server, disk = active(cloud)
    other = another_image(cloud)
    rebuild(cloud, server, other)
    monkeypatch.setattr(VolumeService, "complete", lambda *args: 1 / 0)
    while image_on(cloud, disk) != other:
        assert cloud.broker.deliver_one()
    monkeypatch.undo()
    assert volumes(cloud) == {disk: "reserved"}
    cloud.lose_host(cloud.instance(server).host)
    for _ in range(3):
        cloud.sweep()
    assert (cloud.show(server)["status"], volumes(cloud)) == ("ERROR", {disk: "in-use"})
    body = {"evacuate": {}}
    assert cloud.request("POST", f"/servers/{server}/action", body, user="admin").status_code == 200
    cloud.run()
    assert follows(cloud, server)
    require_rebuilt(cloud, server, disk, other)


def test_a_delete_in_a_rebuild(cloud, monkeypatch):
    """The volume is free, and no image is written over it any more."""
    server, disk = active(cloud)
    other, real = another_image(cloud), VolumeService.reimage

    def late(*args):
        assert cloud.request("DELETE", f"/servers/{server}").status_code == 204
        next(iter(cloud.computes.values()))._conductor.destroy_instance(service_context(), cloud.instance(server))
        real(*args)

    monkeypatch.setattr(VolumeService, "reimage", late)
    rebuild(cloud, server, other)
    cloud.run()
    cloud.sweep()
    assert (image_on(cloud, disk), volumes(cloud)) == (cloud.image, {disk: "available"})


def test_an_image_of_it(cloud):
    """The image names snapshots of its volumes; a server that boots from the image has volumes of those."""
    server, disk = active(cloud, delete_on_termination=True)
    answer = cloud.request("POST", f"/servers/{server}/action", {"createImage": {"name": "copy"}})
    assert answer.status_code == 202, answer.text
    image = answer.json["image_id"]
    shown = cloud.app.get(f"/image/v2/images/{image}", headers={"X-Auth-Token": cloud.login()}).json
    assert (shown["status"], shown["size"], shown["bdm_v2"]) == ("active", 0, "True")
    (device,) = json.loads(shown["block_device_mapping"])
    assert (device["source_type"], device["boot_index"], device["device_name"]) == ("snapshot", 0, "/dev/vda")
    local = {"boot_index": 0, "uuid": image, "source_type": "image", "destination_type": "local"}
    for devices in ([], [local]):
        copy = booted(cloud, *devices, imageRef=image)
        cloud.run()
        assert cloud.show(copy)["image"]["id"] == image
        assert attached(cloud, copy)["/dev/vda"]["snapshot_id"] == device["snapshot_id"]
    assert disk not in {each["id"] for each in attached(cloud, copy).values()}
    assert cloud.request("GET", f"/servers/{server}/os-instance-actions").json["instanceActions"][0]["action"] == (
        "createImage"
    )


def test_moves(cloud):
    """Its volumes follow it to another host, and are told where it is."""
    server, _ = active(cloud)
    first = cloud.instance(server).host
    assert cloud.request("POST", f"/servers/{server}/action", {"migrate": None}, user="admin").status_code == 202
    cloud.run()
    assert cloud.instance(server).host != first
    assert follows(cloud, server)
    cloud.act(server, "revertResize")
    cloud.run()
    assert cloud.instance(server).host == first
    assert follows(cloud, server)
    body = {"os-migrateLive": {"host": None, "block_migration": "auto"}}
    assert cloud.request("POST", f"/servers/{server}/action", body, user="admin").status_code == 202
    cloud.run()
    assert follows(cloud, server)
    cloud.lose_host(cloud.instance(server).host)
    body = {"evacuate": {}}
    assert cloud.request("POST", f"/servers/{server}/action", body, user="admin").status_code == 200
    cloud.run()
    assert cloud.instance(server).host == first
    assert follows(cloud, server)


def test_a_volume_service_that_is_away(cloud, monkeypatch):
    """The server moves without it, which is told later where the server is."""
    server, _ = active(cloud)
    monkeypatch.setattr(VolumeService, "complete", lambda *args: 1 / 0)
    assert cloud.request("POST", f"/servers/{server}/action", {"migrate": None}, user="admin").status_code == 202
    cloud.run()
    monkeypatch.undo()
    assert cloud.show(server)["status"] == "VERIFY_RESIZE"
    cloud.sweep()
    assert follows(cloud, server)


def test_a_resize(cloud):
    """Its flavor's disk does not matter."""
    server, _ = active(cloud)
    answer = cloud.request("POST", f"/servers/{server}/action", {"resize": {"flavorRef": "2"}})
    assert answer.status_code == 202, answer.text
    cloud.run()
    cloud.act(server, "confirmResize")
    cloud.run()
    assert cloud.show(server)["status"] == "ACTIVE"
    assert follows(cloud, server)


def test_shelved(cloud):
    """It is offloaded at once, for its volume is all that is to be kept; unshelved, it has its volume."""
    server, disk = active(cloud)
    cloud.act(server, "shelve")
    cloud.run()
    assert (cloud.show(server)["status"], volumes(cloud)) == ("SHELVED_OFFLOADED", {disk: "reserved"})
    with cloud.db.read() as tx:
        assert claims.hosts_of(tx, [server]) == {}
    images = cloud.app.get("/image/v2/images", headers={"X-Auth-Token": cloud.login()}).json["images"]
    assert [each["id"] for each in images] == [cloud.image]
    cloud.act(server, "unshelve")
    cloud.run()
    assert cloud.show(server)["status"] == "ACTIVE"
    assert follows(cloud, server)
    assert cloud.request("DELETE", f"/servers/{server}").status_code == 204
    cloud.run()
    assert volumes(cloud) == {disk: "available"}


def test_a_host_that_cannot_make_it(make_cloud):
    """An unshelving that fails leaves the volume reserved, and one that is evacuated in vain has it where it was."""
    cloud = make_cloud(behaviour="rules: [{operation: spawn, hosts: host-1, failure: {}}]\n")
    server, disk = active(cloud)
    cloud.act(server, "shelve")
    cloud.run()
    where = {"unshelve": {"host": "host-1"}}
    assert cloud.request("POST", f"/servers/{server}/action", where, user="admin").status_code == 202
    cloud.run()
    cloud.sweep()
    assert (cloud.show(server)["status"], volumes(cloud)) == ("SHELVED_OFFLOADED", {disk: "reserved"})
    where = {"unshelve": {"host": "host-2"}}
    assert cloud.request("POST", f"/servers/{server}/action", where, user="admin").status_code == 202
    cloud.run()
    assert follows(cloud, server)


@pytest.mark.parametrize("how", ["its new host dies", "its state is reset"])
def test_a_migration_that_ends_after_the_move(cloud, how):
    """The volume is where the server is, though its guest was never made there (seeds 73083, 73267 of tests/chaos)."""
    server, _ = active(cloud)
    source = cloud.instance(server).host
    assert cloud.request("POST", f"/servers/{server}/action", {"migrate": None}, user="admin").status_code == 202
    while cloud.instance(server).host == source:
        assert cloud.broker.deliver_one()
    if how == "its new host dies":
        cloud.lose_host(cloud.instance(server).host)
    else:
        reset = {"os-resetState": {"state": "error"}}
        assert cloud.request("POST", f"/servers/{server}/action", reset, user="admin").status_code == 202
    cloud.run()
    for _ in range(3):  # to see it stand still, to end it, and to see to its volume
        cloud.sweep()
    assert (cloud.show(server)["status"], cloud.instance(server).task_state) == ("ERROR", None)
    assert hosts(cloud, server) == {cloud.instance(server).host} != {source}


def test_an_evacuation_that_fails(make_cloud):
    """The volume is where the server is: on the host that is down."""
    cloud = make_cloud(behaviour="rules: [{operation: rebuild, failure: {}}]\n")
    server, _ = active(cloud)
    host = cloud.instance(server).host
    cloud.lose_host(host)
    assert cloud.request("POST", f"/servers/{server}/action", {"evacuate": {}}, user="admin").status_code == 200
    cloud.run()
    assert cloud.show(server)["status"] == "ERROR"
    cloud.sweep()
    assert hosts(cloud, server) == {host} == {cloud.instance(server).host}


@pytest.mark.parametrize("keeps_for_s", [3600, -1])
def test_a_conductor_that_dies_before_the_offload(make_cloud, monkeypatch, keeps_for_s):
    """A sweep offloads the server, which needs no host, however long others may stay on theirs."""
    cloud = make_cloud(shelved_offload_time=keeps_for_s)
    server, disk = active(cloud)
    kept = cloud.boot()
    cloud.run()
    monkeypatch.setattr(Shelving, "offload", lambda *args: 1 / 0)
    for each in (server, kept):
        cloud.act(each, "shelve")
    cloud.run()
    assert cloud.show(server)["status"] == "SHELVED"
    monkeypatch.undo()
    cloud.sweep()
    assert [cloud.show(each)["status"] for each in (server, kept)] == ["SHELVED_OFFLOADED", "SHELVED"]
    assert volumes(cloud) == {disk: "reserved"}
