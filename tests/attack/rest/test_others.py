"""What belongs to another project is not there: the answer is the one that an id of nothing gets, letter by letter."""

import json
from uuid import uuid4

import pytest

from mininova.objects.network import port_id
from tests.fixtures.rest_attacker import COMPUTE, IMAGE, NETWORK, Answer, Attacker
from tests.fixtures.rest_routes import TARGETS, Target

PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK0wmN/Cr3JXqmLW7u+g9pTh+wyqDHpSQEIQczXkVx9q x"
NOTHING = str(uuid4())

#: What a client sends along, where an answer would otherwise be about the body.
BODIES = {
    "PUT /servers/<id>": {"server": {"name": "mine now"}},
    "reboot": {"reboot": {"type": "HARD"}},
    "rebuild": {"rebuild": {"imageRef": NOTHING}},
    "changePassword": {"changePassword": {"adminPass": "mine"}},
    "os-resetState": {"os-resetState": {"state": "error"}},
    "os-getConsoleOutput": {"os-getConsoleOutput": {}},
    "os-getVNCConsole": {"os-getVNCConsole": {"type": "novnc"}},
    "os-getSPICEConsole": {"os-getSPICEConsole": {"type": "spice-html5"}},
    "os-getSerialConsole": {"os-getSerialConsole": {"type": "serial"}},
    "createImage": {"createImage": {"name": "mine"}},
    "POST /servers/<server_id>/os-interface": {"interfaceAttachment": {}},
    "addFloatingIp": {"addFloatingIp": {"address": "203.0.113.9"}},
    "removeFloatingIp": {"removeFloatingIp": {"address": "203.0.113.9"}},
    "addFixedIp": {"addFixedIp": {"networkId": NOTHING}},
    "removeFixedIp": {"removeFixedIp": {"address": "10.0.0.2"}},
    "addSecurityGroup": {"addSecurityGroup": {"name": "default"}},
    "removeSecurityGroup": {"removeSecurityGroup": {"name": "default"}},
    "createBackup": {"createBackup": {"name": "mine", "backup_type": "daily", "rotation": 1}},
    "resize": {"resize": {"flavorRef": "2"}},
    "os-migrateLive": {"os-migrateLive": {"host": None, "block_migration": "auto"}},
    "evacuate": {"evacuate": {}},
    "POST /servers/<server_id>/remote-consoles": {"remote_console": {"protocol": "vnc", "type": "novnc"}},
    "POST /servers/<server_id>/metadata": {"metadata": {"a": "b"}},
    "PUT /servers/<server_id>/metadata": {"metadata": {}},
    "PUT /servers/<server_id>/metadata/<key>": {"meta": {"x": "mine"}},
    "PUT /servers/<server_id>/tags": {"tags": ["mine"]},
    "POST /servers/<server_id>/shares": {"share": {"share_id": NOTHING}},
    "POST /os-volumes": {"volume": {"size": 1}},
    "POST /os-snapshots": {"snapshot": {"volume_id": NOTHING}},
    "POST /servers/<server_id>/os-volume_attachments": {"volumeAttachment": {"volumeId": NOTHING}},
    "PUT /servers/<server_id>/os-volume_attachments/<volume_id>": {"volumeAttachment": {"volumeId": NOTHING}},
    "POST /images/<image_id>/metadata": {"metadata": {"a": "b"}},
    "PUT /images/<image_id>/metadata": {"metadata": {}},
    "PUT /images/<image_id>/metadata/<key>": {"meta": {"x": "mine"}},
    "POST /image/v2/images/<image_id>/import": {"method": {"name": "glance-direct"}},
    "POST /image/v2/images/<image_id>/members": {"member": "stranger"},
    "PUT /image/v2/images/<image_id>/members/<member_id>": {"status": "accepted"},
    "PATCH /image/v2/images/<image_id>": [{"op": "replace", "path": "/name", "value": "mine now"}],
}
SERVERS = [it for it in TARGETS if it.template.startswith(f"{COMPUTE}/servers/<")]
IMAGES = [it for it in TARGETS if it.template.startswith((f"{IMAGE}/images/<", f"{COMPUTE}/images/<"))]


def body_for(target: Target) -> object:
    key = target.action or f"{target.method} {target.template.removeprefix(COMPUTE)}"
    return BODIES.get(key, {target.action: None} if target.action else None)


def require_alike(there: Answer, nowhere: Answer, status: int) -> None:
    assert (there.status, there.without_ids) == (nowhere.status, nowhere.without_ids)
    assert there.status == status


@pytest.mark.parametrize("target", SERVERS, ids=str)
def test_anothers_server_is_not_there(rest_attacker: Attacker, target: Target) -> None:
    """A server of another project is not found by any route, and nothing of it changes."""
    before = rest_attacker.cloud.show(rest_attacker.server)
    there, nowhere = (
        rest_attacker(target.method, target.path.replace("SERVER", uuid), body_for(target), user="stranger",
                      version=target.version)
        for uuid in (rest_attacker.server, NOTHING)
    )  # fmt: skip
    require_alike(there, nowhere, 404)
    assert rest_attacker.cloud.show(rest_attacker.server) == before


@pytest.fixture(scope="module")
def private_image(rest_attacker: Attacker) -> str:
    """Have a private image of the demo project, with data."""
    said = {"name": "secret", "visibility": "private", "container_format": "bare", "disk_format": "raw"}
    image = rest_attacker("POST", f"{IMAGE}/images", said).json["id"]
    sent = {"CONTENT_TYPE": "application/octet-stream"}
    assert rest_attacker("PUT", f"{IMAGE}/images/{image}/file", b"data", environ=sent).status == 204
    return image


@pytest.mark.parametrize("target", IMAGES, ids=str)
def test_anothers_image_is_not_there(rest_attacker: Attacker, private_image: str, target: Target) -> None:
    """A private image of another project is not found by any route."""
    kind = {"PATCH": "application/openstack-images-v2.1-json-patch", "PUT": "application/octet-stream"}
    is_special = target.method in kind and target.template.startswith(IMAGE) and "members" not in target.path
    environ = {"CONTENT_TYPE": kind[target.method]} if is_special else {}
    there, nowhere = (
        rest_attacker(target.method, target.path.replace("IMAGE", image), body_for(target), user="stranger",
                      environ=environ, version=target.version)
        for image in (private_image, NOTHING)
    )  # fmt: skip
    require_alike(there, nowhere, 404)


def test_anothers_security_group_is_not_there(rest_attacker: Attacker) -> None:
    """Neither the group, nor its rules, nor the port of a server of another project is found."""
    made = rest_attacker("POST", f"{NETWORK}/security-groups", {"security_group": {"name": "secret"}})
    group = json.loads(made.text)["security_group"]
    rule = group["security_group_rules"][0]["id"]
    mine = {"security-groups": group["id"], "security-group-rules": rule, "ports": port_id(rest_attacker.server)}
    bodies = {"security-groups": {"security_group": {"name": "mine now"}}}
    for kind, id in mine.items():
        for method in ("GET", "DELETE", *(["PUT"] if kind in bodies else [])):
            there, nowhere = (
                rest_attacker(method, f"{NETWORK}/{kind}/{each}", bodies.get(kind), user="stranger")
                for each in (id, NOTHING)
            )
            require_alike(there, nowhere, 404)
    rule_in = {"security_group_rule": {"security_group_id": group["id"], "direction": "ingress"}}
    assert rest_attacker("POST", f"{NETWORK}/security-group-rules", rule_in, user="stranger").status == 404


def test_nothing_is_booted_from_what_is_anothers(rest_attacker: Attacker, private_image: str) -> None:
    """Another's image, key or private flavor is refused in a boot as one that is not there."""
    flavor = {
        "flavor": {
            "name": "private",
            "id": "private",
            "ram": 1,
            "vcpus": 1,
            "disk": 1,
            "os-flavor-access:is_public": False,
        }
    }
    assert rest_attacker("POST", f"{COMPUTE}/flavors", flavor, user="admin").status == 200
    rest_attacker("POST", f"{COMPUTE}/os-keypairs", {"keypair": {"name": "theirs", "public_key": PUBLIC_KEY}})
    good = {"name": "x", "imageRef": rest_attacker.cloud.image, "flavorRef": "1", "networks": "none"}

    def boot(**wanted: str) -> Answer:
        return rest_attacker("POST", f"{COMPUTE}/servers", {"server": {**good, **wanted}}, user="stranger")

    require_alike(boot(imageRef=private_image), boot(imageRef=NOTHING), 400)
    require_alike(boot(key_name="theirs"), boot(key_name="nobodys"), 400)
    assert boot(flavorRef="private").text == boot(flavorRef="nothing").text.replace("nothing", "private")


def test_anothers_keypair_is_not_there(rest_attacker: Attacker) -> None:
    """Keys have names, and those of others are unknown; naming their user is refused, and so is naming any other."""
    rest_attacker("POST", f"{COMPUTE}/os-keypairs", {"keypair": {"name": "mine", "public_key": PUBLIC_KEY}})
    for method in ("GET", "DELETE"):
        there, nowhere = (
            rest_attacker(method, f"{COMPUTE}/os-keypairs/{name}", user="stranger") for name in ("mine", "none")
        )
        assert there.status == nowhere.status == 404
        assert there.text == nowhere.text.replace("none", "mine")
    owner = rest_attacker("GET", f"{COMPUTE}/os-keypairs/mine").json["keypair"]["user_id"]
    there, nowhere = (
        rest_attacker("GET", f"{COMPUTE}/os-keypairs/mine", user="stranger", query=f"user_id={user}")
        for user in (owner, "nobody")
    )
    require_alike(there, nowhere, 403)
    assert rest_attacker("GET", f"{COMPUTE}/os-keypairs/mine").status == 200


@pytest.mark.parametrize(
    "query", ["marker={}", "marker={}&sort_key=display_name", "uuid={}", "changes-since=2020-01-01&marker={}"]
)
@pytest.mark.parametrize("list_", ["servers", "servers/detail"])
def test_no_list_tells_of_anothers_server(rest_attacker: Attacker, list_: str, query: str) -> None:
    """A page after another's server is a page after no server."""
    there, nowhere = (
        rest_attacker("GET", f"{COMPUTE}/{list_}", query=query.format(uuid), user="stranger")
        for uuid in (rest_attacker.server, NOTHING)
    )
    require_alike(there, nowhere, 400 if "marker" in query else 200)
    assert rest_attacker.server not in rest_attacker("GET", f"{COMPUTE}/{list_}", user="stranger").text


def test_no_list_tells_of_anothers_image_or_flavor(rest_attacker: Attacker, private_image: str) -> None:
    """A page after an image or a flavor that may not be seen is a page after none."""
    flavor = {"name": "hidden", "id": "hidden", "ram": 1, "vcpus": 1, "disk": 1, "os-flavor-access:is_public": False}
    rest_attacker("POST", f"{COMPUTE}/flavors", {"flavor": flavor}, user="admin")
    for path, marker in ((f"{IMAGE}/images", private_image), (f"{COMPUTE}/flavors", "hidden")):
        there, nowhere = (
            rest_attacker("GET", path, query=f"marker={it}", user="stranger") for it in (marker, "nothing")
        )
        assert there.status == nowhere.status == 400
        assert there.text == nowhere.text.replace("nothing", marker)


@pytest.mark.parametrize("where", ["os-quota-sets/{}", "os-quota-sets/{}/detail", "limits?tenant_id={}"])
def test_whether_a_project_exists_is_not_told(rest_attacker: Attacker, where: str) -> None:
    """What another project uses is refused as what no project uses is."""
    project = rest_attacker.cloud.show(rest_attacker.server)["tenant_id"]
    path, _, query = where.partition("?")
    there, nowhere = (
        rest_attacker("GET", f"{COMPUTE}/{path.format(it)}", query=query.format(it), user="stranger")
        for it in (project, "f" * 32)
    )
    require_alike(there, nowhere, 403)


def test_a_foreign_project_in_the_url_is_refused(rest_attacker: Attacker) -> None:
    """A token is good for its own project's URLs, and says the same of all others."""
    project = rest_attacker.cloud.show(rest_attacker.server)["tenant_id"]
    there, nowhere = (rest_attacker("GET", f"{COMPUTE}/{it}/servers", user="stranger") for it in (project, "f" * 32))
    assert there.status == nowhere.status == 400
    assert there.text == nowhere.text.replace("f" * 32, project)
