"""The control API, beside the others: rules by which their requests fail, are late, or lose their answer."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from werkzeug.test import Client

from mininova.flow.diagram import troubles
from mininova.flow.message import messages
from tests.fixtures.api_harness import NO_QUOTA
from tests.fixtures.cloud import Cloud

TOKEN = {"X-Control-Token": "a token"}


@pytest.fixture
def cloud(make_cloud: Callable[..., Cloud]) -> Cloud:
    """Give a cloud that can be controlled."""
    made = make_cloud(losses="[]", of_api={**NO_QUOTA, "control.token": "a token"})
    made.app = Client(made.app.application._app)  # Nova answers no request as some rules do
    made.login()  # which a rule for any request would be for, too
    return made


def control(cloud: Cloud, method: str, path: str, body: Any = None) -> Any:
    """Send a request to the control API; it must succeed."""
    answer = cloud.app.open("/control" + path, method=method, json=body, headers=TOKEN)
    assert answer.status_code < 300, answer.text
    return answer.json


def rule(cloud: Cloud, **what: Any) -> str:
    """Make a rule, and give its id."""
    return str(control(cloud, "POST", "/rules", what)["rule"]["id"])


def create(cloud: Cloud, **more: Any) -> Any:
    """Ask for a server; give the answer."""
    return cloud.request("POST", "/servers", {"server": cloud.wanted(**more)})


def counted(cloud: Cloud) -> list[tuple[int, int]]:
    """Tell of each rule how many requests it matched, and with how many it did something."""
    return [(it["matched"], it["applied"]) for it in control(cloud, "GET", "/rules")["rules"]]


# ---- who may


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"X-Control-Token": "another"}, 403),
        ({"Authorization": "Bearer another"}, 403),
        ({"Authorization": "Basic a token"}, 401),
        (TOKEN, 200),
        ({"Authorization": "Bearer a token"}, 200),
    ],
)
def test_only_its_own_token_opens_it(cloud: Cloud, headers: dict[str, str], status: int):
    """And no token of a user."""
    user = {"X-Auth-Token": cloud.login("admin", "admin")}
    assert cloud.app.get("/control/rules", headers={**user, **headers}).status_code == status


def test_without_a_token_in_the_settings_there_is_none(make_cloud: Callable[..., Cloud]):
    """Neither to those who send none, nor to those who send an empty one."""
    app = make_cloud().app
    answers = [app.get("/control/rules", headers={"X-Control-Token": token}) for token in ("", "None", "a token")]
    assert {answer.status_code for answer in answers} == {404}


def test_it_describes_itself(cloud: Cloud):
    """A rule that it lists is one that it would take, apart from what it counted."""
    document = cloud.app.get("/control/openapi.json").json
    rule(cloud, status=503, times=2)
    (listed,) = control(cloud, "GET", "/rules")["rules"]
    taken = {name: value for name, value in listed.items() if name not in ("id", "matched", "applied")}
    schema = document["paths"]["/rules"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    jsonschema.validate(taken, {**schema, "components": document["components"]})
    with pytest.raises(jsonschema.ValidationError, match="'twice' is not valid"):
        jsonschema.validate({"times": "twice"}, {**schema, "components": document["components"]})


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"status": 200}, "status"),
        ({"status": 418.5}, "status"),
        ({"status": 599}, "599"),
        ({"status": 500, "times": 0}, "times"),
        ({"status": 500, "nth": "first"}, "nth"),
        ({"status": 500, "urls": "*"}, "urls"),
        ({"status": 500, "headers": {"X-A": "b\r\nSet-Cookie: c"}}, "headers"),
        ({"status": 500, "headers": {"content-Length": "3"}}, "content-Length"),
        ({"lost": "perhaps"}, "lost"),
        ({"quota": "happiness"}, "quota"),
        ({"delay": -1}, "delay"),
        ({"metadata": {"a": 1}, "status": 500}, "metadata"),
        ({"message": "no status", "delay": 1}, "message"),
        ({"status": 500, "lost": "500"}, "lost"),
        ({}, "delay"),
        ([], "object"),
        (None, "delay"),
    ],
)
def test_what_is_no_rule_is_refused(cloud: Cloud, body: Any, named: str):
    """The answer names the field."""
    answer = cloud.app.post("/control/rules", json=body, headers=TOKEN)
    assert (answer.status_code, named in answer.json["badRequest"]["message"]) == (400, True), answer.text
    assert control(cloud, "GET", "/rules") == {"rules": []}


# ---- which requests


@pytest.mark.parametrize(
    ("what", "applies"),
    [
        ({"method": "POST", "url": "/compute/*/servers"}, True),
        ({"method": "GET"}, False),
        ({"url": "/compute/v2.1/flavors*"}, False),
        ({"project": "demo"}, True),
        ({"project": "admin"}, False),
        ({"server": "web-*"}, True),
        ({"server": "db-*"}, False),
        ({"metadata": {"tier": "gold"}}, True),
        ({"metadata": {"tier": "gold", "site": "*"}}, False),
        ({"action": "server"}, True),
        ({"action": "reboot"}, False),
        ({"nth": 2}, False),
    ],
)
def test_a_rule_says_which_requests_it_is_for(cloud: Cloud, what: dict[str, Any], applies: bool):
    """All that it says must be so."""
    rule(cloud, status=503, **what)
    answer = create(cloud, name="web-1", metadata={"tier": "gold"})
    assert answer.status_code == (503 if applies else 202)


def test_a_rule_holds_so_many_times(cloud: Cloud):
    """From the second request on, and twice."""
    rule(cloud, status=500, nth=2, times=2)
    assert [create(cloud).status_code for _ in range(5)] == [202, 500, 500, 202, 202]
    assert counted(cloud) == [(5, 2)]


def test_the_first_rule_that_does_something_is_the_one(cloud: Cloud):
    """One that has done all that it may makes room for the next."""
    rule(cloud, status=500, times=1)
    rule(cloud, status=503)
    assert [create(cloud).status_code for _ in range(3)] == [500, 503, 503]
    assert counted(cloud) == [(3, 1), (2, 2)]


def test_a_rule_may_ask_for_no_body(cloud: Cloud):
    """A body that is no JSON is passed on, for the service to refuse."""
    rule(cloud, status=500, server="*")
    token = {"X-Auth-Token": cloud.login()}
    answer = cloud.app.post("/compute/v2.1/servers", data="{", content_type="application/json", headers=token)
    assert (answer.status_code, "Malformed request body" in answer.text) == (400, True)


def test_a_rule_that_is_deleted_is_in_force_no_more(cloud: Cloud):
    """It is not there, either."""
    gone = rule(cloud, status=500)
    assert create(cloud).status_code == 500
    control(cloud, "DELETE", f"/rules/{gone}")
    assert create(cloud).status_code == 202
    for method in ("GET", "DELETE"):
        answer = cloud.app.open(f"/control/rules/{gone}", method=method, headers=TOKEN)
        assert (answer.status_code, gone in answer.json["itemNotFound"]["message"]) == (404, True)


# ---- what becomes of them


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/compute/v2.1/flavors", "serviceUnavailable"),
        ("/volume/v3/types", "serviceUnavailable"),
        ("/network/v2.0/networks", "NeutronError"),
        ("/image/v2/images", "title"),
        ("/identity/v3/projects", "error"),
    ],
)
def test_each_service_fails_in_its_own_words(cloud: Cloud, path: str, key: str):
    """A rule says the status, and may say the message and the headers."""
    token = cloud.login("admin", "admin")
    rule(cloud, url=path, status=503, message="come back later", headers={"Retry-After": "7"})
    answer = cloud.app.get(path, headers={"X-Auth-Token": token})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")
    assert key in answer.json
    assert "come back later" in answer.text


@pytest.mark.parametrize(
    ("quota", "words"),
    [
        ("instances", "Quota exceeded for instances: Requested 1, but already used 10 of 10 instances"),
        ("server_groups", "Quota exceeded, too many server groups."),
    ],
)
def test_a_quota_error_goes_away(cloud: Cloud, quota: str, words: str):
    """It has Nova's words."""
    rule(cloud, quota=quota, times=1)
    refused = create(cloud)
    assert refused.json == {"forbidden": {"code": 403, "message": words}}
    assert create(cloud).status_code == 202


def test_an_answer_is_lost(cloud: Cloud):
    """The client gets a 500, but the server was made."""
    rule(cloud, method="POST", lost="500")
    answer = create(cloud, name="made")
    assert answer.status_code == 500
    assert "made" not in answer.text
    cloud.run()
    (server,) = cloud.request("GET", "/servers/detail").json["servers"]
    assert (server["name"], server["status"]) == ("made", "ACTIVE")


def test_an_answer_breaks_off(cloud: Cloud):
    """Where the server cannot hang up before, it does so in the middle of the answer."""
    rule(cloud, method="POST", lost="closed")
    with pytest.raises(ConnectionAbortedError):
        _ = create(cloud).data
    cloud.run()
    assert len(cloud.request("GET", "/servers").json["servers"]) == 1


# ---- the cloud as a whole


def things(cloud: Cloud, project: str = "demo") -> dict[str, int]:
    """Count what a project has."""
    token = {"X-Auth-Token": cloud.login(project, project)}
    urls = {
        "servers": "/compute/v2.1/servers",
        "volumes": "/volume/v3/volumes",
        "ports": "/network/v2.0/ports",
        "images": "/image/v2/images?name=mine",
        "server_groups": "/compute/v2.1/os-server-groups",
        "networks": "/network/v2.0/networks?name=mine",
    }
    return {key: len(cloud.app.get(url, headers=token).json[key]) for key, url in urls.items()}


def fill(cloud: Cloud, project: str = "demo") -> str:
    """Make one thing of each kind; give the server."""
    made = cloud.request("POST", "/servers", {"server": cloud.wanted(name=project)}, user=project)
    cloud.run()
    token = {"X-Auth-Token": cloud.login(project, project)}
    for url, body in (
        ("/volume/v3/volumes", {"volume": {"size": 1, "name": "data"}}),
        ("/network/v2.0/networks", {"network": {"name": "mine"}}),
        ("/image/v2/images", {"name": "mine", "container_format": "bare", "disk_format": "raw"}),
        ("/compute/v2.1/os-server-groups", {"server_group": {"name": "mine", "policies": ["affinity"]}}),
    ):
        answer = cloud.app.post(url, json=body, headers=token)
        assert answer.status_code < 300, answer.text
    return str(made.json["server"]["id"])


NOTHING = {"servers": 0, "volumes": 0, "ports": 0, "images": 0, "server_groups": 0, "networks": 0}


def guests(cloud: Cloud) -> list[str]:
    """List the guests of all hosts."""
    return sorted(uuid for compute in cloud.computes.values() for uuid in compute.driver.list_instance_uuids())


def test_a_reset_gives_the_cloud_that_started(cloud: Cloud):
    """Nothing is left of all projects, no rule is in force, the claims agree; and the next server boots."""
    before = things(cloud, "admin")
    for project in ("demo", "admin"):
        fill(cloud, project)
    assert min(things(cloud).values()) == 1
    rule(cloud, method="POST", status=500)
    control(cloud, "POST", "/reset")
    assert (things(cloud), things(cloud, "admin"), guests(cloud)) == (NOTHING, before, [])
    assert cloud.audit()[0] == 0
    uuid = fill(cloud)
    assert (cloud.show(uuid)["status"], guests(cloud)) == ("ACTIVE", [uuid])
    assert cloud.audit()[0] == 0


def test_a_reset_of_one_project_leaves_the_others(cloud: Cloud):
    """What they have, and the image that all have."""
    kept = fill(cloud, "admin")
    theirs, images = things(cloud, "admin"), cloud.request("GET", "/images", version="2.1").json
    project = cloud.instance(fill(cloud)).project_id
    control(cloud, "POST", "/reset", {"project": project})
    assert (things(cloud), things(cloud, "admin"), guests(cloud)) == (NOTHING, theirs, [kept])
    assert cloud.request("GET", "/images", version="2.1").json == images
    assert cloud.audit()[0] == 0


@pytest.mark.parametrize("project", ["demo", "a", "0" * 32])
def test_a_project_that_is_not_there_is_not_reset(cloud: Cloud, project: str):
    """Its id is wanted, and not its name; a part of an id is none, and no message of others is lost."""
    uuid = cloud.boot()
    answer = cloud.app.post("/control/reset", json={"project": project}, headers=TOKEN)
    problem = f"Invalid input for field/attribute project: there is no project with the id {project}."
    assert answer.json == {"badRequest": {"code": 400, "message": problem}}
    cloud.run()
    assert cloud.show(uuid)["status"] == "ACTIVE"


@pytest.mark.parametrize("project", [True, False])
def test_what_is_under_way_does_not_outlive_a_reset(cloud: Cloud, project: bool):
    """A build at any of its messages ends, and leaves no claim, no port and no guest."""
    for steps in range(9):
        uuid = cloud.boot()
        for _ in range(steps):
            cloud.broker.deliver_one()
        control(cloud, "POST", "/reset", {"project": cloud.instance(uuid).project_id} if project else {})
        cloud.run()
        assert (things(cloud), guests(cloud)) == (NOTHING, [])
        code, found = cloud.audit()
        assert (code, steps) == (0, steps), found
    cloud.sweep()
    assert cloud.denied() == []


def test_a_cloud_is_saved_and_loaded(cloud: Cloud, tmp_path: Path):
    """With the guests of its servers, and the data of its images."""
    uuid = fill(cloud)
    file = {"path": str(tmp_path / "saved")}
    control(cloud, "POST", "/save", file)
    there = things(cloud)
    control(cloud, "POST", "/reset")
    fill(cloud)
    control(cloud, "POST", "/load", file)
    assert (things(cloud), guests(cloud), cloud.show(uuid)["status"]) == (there, [uuid], "ACTIVE")
    assert cloud.audit()[0] == 0
    assert (cloud.act(uuid, "reboot", {"type": "HARD"}), cloud.run()) == (202, None)
    assert cloud.show(uuid)["status"] == "ACTIVE"


@pytest.mark.parametrize("path", ["/nowhere/file", "/dev/null", "relative", "/", 7])
def test_a_file_that_is_no_cloud_is_refused(cloud: Cloud, path: Any):
    """And names the field."""
    answer = cloud.app.post("/control/load", json={"path": path}, headers=TOKEN)
    assert (answer.status_code, "path" in answer.json["badRequest"]["message"]) == (400, True), answer.text


@pytest.mark.parametrize("row", ["NULL, x''", "'image', 'text'", "x'61', x''"])
def test_a_file_with_data_of_another_kind_is_refused(cloud: Cloud, tmp_path: Path, row: str):
    """Before anything is changed."""
    uuid, file = fill(cloud), tmp_path / "saved"
    control(cloud, "POST", "/save", {"path": str(file)})
    with closing(sqlite3.connect(file)) as saved, saved:
        saved.execute(f"INSERT INTO control_files VALUES ({row})")
        saved.execute("DELETE FROM control_guests")
    answer = cloud.app.post("/control/load", json={"path": str(file)}, headers=TOKEN)
    assert (answer.status_code, "it is damaged" in answer.text) == (400, True), answer.text
    assert guests(cloud) == [uuid]


def test_the_fake_hypervisor_goes_by_rules(cloud: Cloud):
    """At once: a host fails, and the server is built on the other one."""
    failure = {"nth": None, "message": "no space left", "kind": "error", "probability": 1.0}
    control(cloud, "PUT", "/behaviour", {"rules": [{"hosts": "host-2", "operation": "spawn", "failure": failure}]})
    (shown,) = control(cloud, "GET", "/behaviour")["rules"]
    assert (shown["operation"], shown["failure"]) == ("spawn", failure)
    uuid = fill(cloud)
    assert (cloud.show(uuid)["status"], cloud.show(uuid)["OS-EXT-SRV-ATTR:host"]) == ("ACTIVE", "host-1")
    for body, named in (({"rules": [{"operation": "spwan"}]}, "spwan"), ({"rules": [{"delay": "long"}]}, "delay")):
        answer = cloud.app.put("/control/behaviour", json=body, headers=TOKEN)
        assert (answer.status_code, named in answer.text) == (400, True), answer.text


@pytest.mark.parametrize("method", ["build_instances", "build_instance"])
def test_a_cast_that_is_lost_is_sent_again(cloud: Cloud, method: str):
    """By the sweeper, which finds that nothing moved; the flow says that it was lost on purpose."""
    control(cloud, "PUT", "/losses", {"rules": [{"method": method, "nth": 2}]})
    expected = {"rules": [{"method": method, "sender": "*", "nth": 2, "times": 1}]}
    assert control(cloud, "GET", "/losses") == expected
    first, second = cloud.boot(), cloud.boot()
    cloud.run()
    assert [cloud.show(uuid)["status"] for uuid in (first, second)] == ["ACTIVE", "BUILD"]
    cloud.sweep()  # what has moved since it was accepted is given time
    cloud.sweep()
    assert cloud.show(second)["status"] == "ACTIVE"
    (lost,) = (event for event in cloud.events if event.kind == "lost")
    assert (lost.method, lost.error) == (method, f"LostOnPurpose: number 2 of {method} from any sender")
    request = [event for event in cloud.events if event.request_id == lost.request_id]
    assert troubles(messages(request)) == ["1 lost on purpose"]


def test_a_call_that_is_lost_three_times(cloud: Cloud):
    """No scheduler seems to be there: the build waits, and the sweeper asks again."""
    control(cloud, "PUT", "/losses", {"rules": [{"method": "select_destinations", "times": 3}]})
    uuid = cloud.boot()
    cloud.run()
    assert cloud.show(uuid)["status"] == "BUILD"
    cloud.sweep()
    cloud.sweep()
    assert cloud.show(uuid)["status"] == "ACTIVE"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"rules": [{"method": "build_instance", "nth": 0}]}, "rules[0].nth"),
        ({"rules": [{"nth": 1}]}, "`method`"),
        ({"rules": [{"method": "*"}, {"method": "build_instnace"}]}, "rules[1].method"),
        ({"rules": [{"method": "*", "kind": "reply"}]}, "`kind`"),
    ],
)
def test_what_is_no_rule_of_losses_is_refused(cloud: Cloud, body: Any, named: str):
    """The answer names the field, and no message is lost."""
    answer = cloud.app.put("/control/losses", json=body, headers=TOKEN)
    assert (answer.status_code, named in answer.json["badRequest"]["message"]) == (400, True), answer.text
    assert control(cloud, "GET", "/losses") == {"rules": []}


def test_where_no_file_says_what_is_lost_nothing_can_be(make_cloud: Callable[..., Cloud]):
    """The answer names the setting."""
    cloud = make_cloud(of_api={**NO_QUOTA, "control.token": "a token"})
    answers = [cloud.app.open("/control/losses", method=it, json={}, headers=TOKEN) for it in ("GET", "PUT")]
    said = [(answer.status_code, "[losses] file" in answer.text) for answer in answers]
    assert said == [(409, True)] * 2


def test_the_state_of_a_server_is_set(cloud: Cloud):
    """Some part of it, as a client is to see it."""
    uuid = fill(cloud)
    control(cloud, "POST", f"/servers/{uuid}/state", {"vm_state": "error", "task_state": "rebooting"})
    shown = cloud.show(uuid)
    assert (shown["status"], shown["OS-EXT-STS:task_state"], shown["OS-EXT-STS:power_state"]) == (
        "ERROR",
        "rebooting",
        1,
    )
    control(cloud, "POST", f"/servers/{uuid}/state", {"vm_state": "stopped", "task_state": None, "power_state": 4})
    shown = cloud.show(uuid)
    assert (shown["status"], shown["OS-EXT-STS:task_state"], shown["OS-EXT-STS:power_state"]) == ("SHUTOFF", None, 4)
    for body, named in (
        ({"vm_state": "deleted"}, "vm_state"),
        ({"power_state": 2}, "power_state"),
        ({"state": 1}, "state"),
    ):
        answer = cloud.app.post(f"/control/servers/{uuid}/state", json=body, headers=TOKEN)
        assert (answer.status_code, named in answer.text) == (400, True)
    assert cloud.app.post("/control/servers/none/state", json={}, headers=TOKEN).status_code == 404
