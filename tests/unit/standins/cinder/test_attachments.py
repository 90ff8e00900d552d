"""How servers get volumes and lose them."""

from uuid import uuid4

SERVER, OTHER = str(uuid4()), str(uuid4())


def reserve(http, volume_id, server=SERVER, **more):
    body = {"volume_uuid": volume_id, "instance_uuid": server, **more}
    return http("POST", "/attachments", {"attachment": body})


def test_a_server_gets_a_volume_and_loses_it(volume, http, get):
    """Reserved, attaching, in use, and available again; meanwhile no other server gets it, and it stays."""
    path = f"/volumes/{volume()['id']}"
    one = reserve(http, path[9:]).json["attachment"]
    assert (one["status"], one["connection_info"], get(path)["status"]) == ("reserved", {}, "reserved")
    again = reserve(http, path[9:], OTHER)
    assert again.status_int == 400
    assert "must be available or downloading to reserve, but the current status is reserved" in again.text
    at = f"/attachments/{one['id']}"
    body = {"attachment": {"connector": {"host": "host-1", "mountpoint": "/dev/vdb"}}}
    connected = http("PUT", at, body).json["attachment"]
    assert (connected["status"], connected["connection_info"]["attachment_id"]) == ("attaching", one["id"])
    assert http("POST", f"{at}/action", {"os-complete": None}).status_int == 204
    shown = get(path)
    assert shown["status"] == "in-use"
    (attached,) = shown["attachments"]
    assert (attached["server_id"], attached["device"], attached["host_name"]) == (SERVER, "/dev/vdb", "host-1")
    assert [each["id"] for each in get(f"/attachments?instance_id={SERVER}")] == [one["id"]]
    assert http("DELETE", path).status_int == 400
    refused = http("DELETE", at)
    assert (refused.status_int, SERVER in refused.text) == (409, True)
    assert http("GET", at, by="bob").status_int == http("DELETE", at, by="bob").status_int == 404
    assert http("DELETE", at, by="admin").json == {"attachments": []}
    assert get(path)["status"] == "available"


def test_several_servers(volume, http, get, multiattach):
    """Only a volume of a type that says so is had by several at a time."""
    path = f"/volumes/{volume(volume_type=multiattach)['id']}"
    for server in (SERVER, OTHER):
        one = reserve(http, path[9:], server, connector={"host": "host-1"}).json["attachment"]
        assert http("POST", f"/attachments/{one['id']}/action", {"os-complete": {}}).status_int == 204
    assert {each["server_id"] for each in get(path)["attachments"]} == {SERVER, OTHER}
    left = http("DELETE", f"/attachments/{one['id']}", by="admin").json["attachments"]
    assert ([each["instance"] for each in left], get(path)["status"]) == ([SERVER], "in-use")


def test_the_older_way(volume, act, get):
    """The status goes step by step, each from the one before."""
    id = volume()["id"]

    def status():
        return get(f"/volumes/{id}")["status"]

    assert (act(id, "os-reserve")[0], status()) == (202, "attaching")
    assert act(id, "os-reserve")[0] == 400
    assert (act(id, "os-unreserve")[0], status()) == (202, "available")
    assert act(id, "os-initialize_connection", {"connector": {"host": "host-1"}})[0] == 200
    assert act(id, "os-attach", {"instance_uuid": SERVER, "mountpoint": "/dev/vdb", "mode": "rw"})[0] == 202
    assert status() == "in-use"
    assert "status must be available" in act(id, "os-extend", {"new_size": 2}, version="3.41")[1]
    assert act(id, "os-extend", {"new_size": 2})[0] == 202
    assert (act(id, "os-begin_detaching")[0], status()) == (202, "detaching")
    assert (act(id, "os-roll_detaching")[0], status()) == (202, "in-use")
    assert (act(id, "os-detach", {})[0], act(id, "os-force_detach", {})[0]) == (409, 403)
    assert (act(id, "os-force_detach", {}, by="admin")[0], status()) == (202, "available")
