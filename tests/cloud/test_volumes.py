"""Volumes that servers get and lose: Nova's record and the volume service agree, whatever is lost between."""

from contextlib import suppress

import pytest

from mininova import errors
from mininova.context import service_context
from mininova.db import block_devices
from mininova.objects import Fault
from mininova.service.attachments import AttachmentEnds
from mininova.standins.cinder.in_process import VolumeService

GONE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def volume(cloud):
    """Make a volume in the cloud; give its id."""
    return lambda: new_volume(cloud)


def new_volume(cloud):
    headers = {"X-Auth-Token": cloud.login()}
    answer = cloud.app.post("/volume/v3/volumes", json={"volume": {"size": 1}}, headers=headers)
    assert answer.status_code == 202, answer.text
    return answer.json["volume"]["id"]


def volume_of(cloud, id):
    headers = {"X-Auth-Token": cloud.login()}
    return cloud.app.get(f"/volume/v3/volumes/{id}", headers=headers).json["volume"]


def attach(cloud, server, volume, version="2.96", **more):
    body = {"volumeAttachment": {"volumeId": volume, **more}}
    return cloud.request("POST", f"/servers/{server}/os-volume_attachments", body, version=version)


def detach(cloud, server, volume):
    return cloud.request("DELETE", f"/servers/{server}/os-volume_attachments/{volume}").status_code


def attached(cloud, server):
    answer = cloud.request("GET", f"/servers/{server}/os-volume_attachments")
    assert answer.status_code == 200, answer.text
    return [each["volumeId"] for each in answer.json["volumeAttachments"]]


def active(cloud, **more):
    server = cloud.boot(**more)
    cloud.run()
    return server


def require_agreement(cloud, server, volume, *, has):
    """Both say that the server has the volume, or that it has not, and nothing is under way."""
    with cloud.db.read() as tx:
        rows = block_devices.of(tx, [server])
    said = [(each.volume_id, each.status, each.due_at) for each in rows]
    assert said == ([(volume, "attached", None)] if has else [])
    shown = volume_of(cloud, volume)
    assert (shown["status"], [each["server_id"] for each in shown["attachments"]]) == (
        ("in-use", [server]) if has else ("available", [])
    )


def actions(cloud, server):
    answer = cloud.request("GET", f"/servers/{server}/os-instance-actions")
    return [(each["action"], each["message"]) for each in answer.json["instanceActions"]]


def test_attach_and_detach(cloud, volume):
    """The server gets the volume from its host, and loses it again; its actions and the events tell of both."""
    server, data = active(cloud), volume()
    answer = attach(cloud, server, data, tag="data", delete_on_termination=False)
    assert answer.status_code == 200, answer.text
    made = answer.json["volumeAttachment"]
    assert (made["device"], made["tag"], made["serverId"], made["id"]) == ("/dev/vdb", "data", server, data)
    assert volume_of(cloud, data)["status"] == "reserved"
    cloud.run()
    require_agreement(cloud, server, data, has=True)
    assert volume_of(cloud, data)["attachments"][0]["host_name"] == cloud.instance(server).host
    one = cloud.request("GET", f"/servers/{server}/os-volume_attachments/{data}", version="2.1").json
    assert one["volumeAttachment"] == {"id": data, "serverId": server, "volumeId": data, "device": "/dev/vdb"}
    assert cloud.show(server)["os-extended-volumes:volumes_attached"] == [{"id": data, "delete_on_termination": False}]
    assert detach(cloud, server, data) == 202
    assert volume_of(cloud, data)["status"] == "detaching"
    cloud.run()
    require_agreement(cloud, server, data, has=False)
    assert actions(cloud, server)[:2] == [("detach_volume", None), ("attach_volume", None)]


def test_what_is_refused(cloud, volume):
    """The answer says why, and nothing is left behind."""
    server, other, data = active(cloud), active(cloud), volume()
    assert attach(cloud, server, GONE).status_code == 404
    assert detach(cloud, server, data) == 404
    assert attach(cloud, server, data, device="/dev/vda").status_code == 409
    attach(cloud, server, data)
    assert detach(cloud, server, data) == 400
    cloud.run()
    again, elsewhere = attach(cloud, server, data), attach(cloud, other, data)
    assert (again.status_code, elsewhere.status_code) == (400, 400)
    assert "already attached" in again.text
    assert "status must be available or downloading to reserve, but the current status is in-use" in elsewhere.text
    assert attached(cloud, other) == []
    cloud.act(server, "suspend")
    cloud.run()
    refused = cloud.request("DELETE", f"/servers/{server}/os-volume_attachments/{data}")
    assert refused.status_code == 409
    assert "Cannot 'detach_volume' instance" in refused.text
    cloud.act(server, "resume")
    cloud.run()
    cloud.act(server, "lock")
    assert detach(cloud, server, data) == 409
    require_agreement(cloud, server, data, has=True)


def test_deletion_on_termination(cloud, volume):
    """A deleted server has no volumes: one is free, and the other is deleted with it."""
    server, kept, going = active(cloud), volume(), volume()
    attach(cloud, server, kept)
    attach(cloud, server, going)
    cloud.run()
    path = f"/servers/{server}/os-volume_attachments/{going}"
    body = {"volumeAttachment": {"volumeId": going, "delete_on_termination": True}}
    assert cloud.request("PUT", path, body).status_code == 202
    assert cloud.request("DELETE", f"/servers/{server}").status_code == 204
    cloud.run()
    require_agreement(cloud, server, kept, has=False)
    with pytest.raises(errors.VolumeNotFound):
        VolumeService(cloud.db).get(service_context(), going)


@pytest.mark.parametrize("operation", ["attach_volume", "detach_volume"])
def test_the_hypervisor_fails(make_cloud, operation):
    """All stays as it was before, and the action says that it went wrong."""
    cloud = make_cloud(behaviour=f"rules: [{{operation: {operation}, failure: {{nth: 1}}}}]\n")
    server, data = active(cloud), new_volume(cloud)
    attach(cloud, server, data)
    cloud.run()
    if operation == "detach_volume":
        assert detach(cloud, server, data) == 202
        cloud.run()
    require_agreement(cloud, server, data, has=operation == "detach_volume")
    assert actions(cloud, server)[0] == (operation, "Error")


def test_snapshots_that_the_volume_service_asks_for(make_cloud, caplog):
    """The guest's host makes them and deletes them; no one waits, so a hypervisor that fails is only logged."""
    caplog.set_level("INFO")
    cloud = make_cloud(behaviour="rules: [{operation: volume_snapshot_delete, failure: {nth: 1}}]\n")
    server, data = active(cloud), new_volume(cloud)
    attach(cloud, server, data)
    cloud.run()
    body = {"snapshot": {"volume_id": data, "create_info": {"snapshot_id": "one", "type": "qcow2", "new_file": "f"}}}
    made = cloud.request("POST", "/os-assisted-volume-snapshots", body, user="admin")
    assert (made.status_code, made.json) == (200, {"snapshot": {"id": None, "volumeId": data}})
    cloud.run()
    path = f'/os-assisted-volume-snapshots/one?delete_info={{"volume_id":"{data}"}}'
    for _ in range(2):
        assert cloud.request("DELETE", path, user="admin").status_code == 204
        cloud.run()
    said = [each.getMessage().partition(": ")[0] for each in caplog.records if "snapshot one" in each.getMessage()]
    done = ("has made", "cannot delete", "has deleted")
    assert said == [f"compute {words} snapshot one of volume {data}" for words in done]
    assert [action for action, _ in actions(cloud, server)] == ["attach_volume", "create"]


def test_snapshots_while_something_is_done_to_the_server(cloud, volume):
    """They are refused, and also what needs a guest that runs."""
    server, data = active(cloud), volume()
    attach(cloud, server, data)
    cloud.run()
    cloud.act(server, "os-stop")
    path = f'/os-assisted-volume-snapshots/one?delete_info={{"volume_id":"{data}","merge_target_file":"f"}}'
    refused = cloud.request("DELETE", path, user="admin")
    assert (refused.status_code, "in task_state powering-off. Cannot do_" in refused.text) == (400, True)
    cloud.run()
    refused = cloud.request("DELETE", path, user="admin")
    assert (refused.status_code, "in vm_state stopped. Cannot volume_" in refused.text) == (400, True)


def crash_before(monkeypatch, where, name):
    """Have the process die before it calls a function, once: an api is gone, a conductor is asked again."""

    def die(*args, **more):
        monkeypatch.undo()
        raise KeyboardInterrupt if name in ("reserve", "accept", "begin_detaching") else SystemError("killed")

    monkeypatch.setattr(where, name, die)


@pytest.mark.parametrize(
    ("where", "step"),
    [(VolumeService, "reserve"), (block_devices, "accept"), (VolumeService, "complete"), (AttachmentEnds, "_write")],
)
def test_an_attachment_that_is_killed(cloud, volume, monkeypatch, where, step):
    """Killed before any step, it is done, or never was, after a sweep."""
    server, data = active(cloud), volume()
    crash_before(monkeypatch, where, step)
    with suppress(KeyboardInterrupt):
        attach(cloud, server, data)
    cloud.run()
    cloud.sweep()
    require_agreement(cloud, server, data, has=step != "reserve")


@pytest.mark.parametrize("step", ["begin_detaching", "release", "end"])
def test_a_detachment_that_is_killed(cloud, volume, monkeypatch, step):
    """Killed before any step, it is done after a sweep."""
    server, data = active(cloud), volume()
    attach(cloud, server, data)
    cloud.run()
    crash_before(monkeypatch, block_devices if step == "end" else VolumeService, step)
    with suppress(KeyboardInterrupt):
        detach(cloud, server, data)
    cloud.run()
    cloud.sweep()
    require_agreement(cloud, server, data, has=False)


def test_a_server_that_is_deleted_meanwhile(cloud, volume, monkeypatch):
    """The volume is free, and the client hears that there is no server."""
    server, data, reserve = active(cloud), volume(), VolumeService.reserve

    def reserve_late(*args):
        assert cloud.request("DELETE", f"/servers/{server}").status_code == 204
        cloud.run()
        cloud.sweep()
        reserve(*args)

    monkeypatch.setattr(VolumeService, "reserve", reserve_late)
    assert attach(cloud, server, data).status_code == 404
    require_agreement(cloud, server, data, has=False)


def test_lost_messages_and_a_lost_host(cloud, volume):
    """A lost message is sent again; where the host is dead, the volume is free again."""
    server, data = active(cloud), volume()
    attach(cloud, server, data)
    cloud.lose_messages()
    cloud.sweep()
    require_agreement(cloud, server, data, has=True)
    detach(cloud, server, data)
    cloud.lose_messages()
    cloud.sweep()
    require_agreement(cloud, server, data, has=False)
    cloud.lose_host(cloud.instance(server).host)
    attach(cloud, server, data)
    cloud.sweep()
    require_agreement(cloud, server, data, has=False)


def test_messages_that_come_twice(cloud, volume):
    """A copy changes nothing."""
    server, data = active(cloud), volume()
    cloud.duplicate("compute.host-1", "compute.host-2")
    attach(cloud, server, data)
    cloud.run()
    require_agreement(cloud, server, data, has=True)
    detach(cloud, server, data)
    cloud.run()
    require_agreement(cloud, server, data, has=False)


def test_an_offloaded_server(cloud, volume):
    """It has no host, so it gets a volume, and loses it, at once."""
    server, data = active(cloud), volume()
    cloud.act(server, "shelve")
    cloud.run()
    offload = cloud.request("POST", f"/servers/{server}/action", {"shelveOffload": None}, user="admin")
    assert offload.status_code == 202
    cloud.run()
    assert attach(cloud, server, data).status_code == 200
    assert (attached(cloud, server), volume_of(cloud, data)["status"]) == ([data], "in-use")
    assert detach(cloud, server, data) == 202
    require_agreement(cloud, server, data, has=False)


def test_another_hosts_volume(cloud, volume):
    """A host that is taken over says nothing of the volumes of other hosts' instances."""
    server, data = active(cloud), volume()
    attach(cloud, server, data)
    with cloud.db.read() as tx:
        (row,) = block_devices.of(tx, [server])
    victim = cloud.instance(server)
    thief = next(host for host in cloud.computes if host != victim.host)
    conductor = cloud.computes[thief]._conductor
    for instance in (victim, victim.replace(host=thief)):
        with pytest.raises(Exception, match="end_attachment"):
            conductor.end_attachment(service_context(), instance, row.device)
    own = next(it for it in (cloud.instance(active(cloud)) for _ in range(3)) if it.host == thief)
    with pytest.raises(errors.BlockDeviceNotFound):
        conductor.fail_attachment(service_context(), own, row.device, Fault(code=500, message="mine"))
    cloud.run()
    require_agreement(cloud, server, data, has=True)
