"""What becomes of a server that boots from a volume: its volumes go with it, and what Nova refuses is refused."""

import json

from mininova.db import claims
from tests.cloud.test_boot_from_volume import attached, booted, root, volume, volumes
from tests.cloud.test_volumes import detach


def active(cloud, **more):
    """Make a server from a volume of the image; give its id, and the volume's."""
    disk = volume(cloud)
    server = booted(cloud, root(disk, **more))
    cloud.run()
    return server, disk


def another_image(cloud):
    headers = {"X-Auth-Token": cloud.login()}
    said = {"name": "other", "disk_format": "qcow2", "container_format": "bare"}
    id = cloud.app.post("/image/v2/images", json=said, headers=headers).json["id"]
    as_data = {**headers, "Content-Type": "application/octet-stream"}
    assert cloud.app.put(f"/image/v2/images/{id}/file", data=b"x", headers=as_data).status_code == 204
    return id


def refusal(cloud, server, action, version="2.96"):
    answer = cloud.request("POST", f"/servers/{server}/action", action, version=version)
    assert answer.status_code == 400, answer.text
    return answer.json["badRequest"]["message"]


def hosts(cloud, server):
    return {each["host_name"] for shown in attached(cloud, server).values() for each in shown["attachments"]}


def follows(cloud, server):
    """Tell whether the volume service knows where the server is, after a sweep."""
    cloud.sweep()
    return hosts(cloud, server) == {cloud.instance(server).host}


def test_what_is_refused(cloud):
    """Its volume stays its own, no other image is put on it, and it has no backups."""
    server, disk = active(cloud)
    other = another_image(cloud)
    assert detach(cloud, server, disk) == 400
    backup = {"createBackup": {"name": "b", "backup_type": "daily", "rotation": 1}}
    assert refusal(cloud, server, backup) == "Backup is not supported for volume-backed instances."
    reason = "Unable to rebuild with a different image for a volume-backed server."
    assert refusal(cloud, server, {"rebuild": {"imageRef": other}}) == reason
    assert "Cannot rescue a volume-backed instance" in refusal(cloud, server, {"rescue": None})


def test_a_rebuild(cloud):
    """It is made anew from the image of its volume, and shows none as before."""
    server, _ = active(cloud)
    answer = cloud.request("POST", f"/servers/{server}/action", {"rebuild": {"imageRef": cloud.image}})
    assert answer.status_code == 202, answer.text
    cloud.run()
    shown = cloud.show(server)
    assert (shown["status"], shown["image"]) == ("ACTIVE", "")


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
    assert cloud.show(server)["status"] == "SHELVED_OFFLOADED"
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
