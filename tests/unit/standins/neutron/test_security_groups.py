"""Security groups and their rules, which each project makes for itself."""

import pytest

from mininova.standins.neutron.db import security_groups


@pytest.fixture
def make(make):
    """Make a group; give its document."""
    return lambda name="web", **said: make("security_group", name=name, **said)


@pytest.fixture
def add(http):
    """Add a rule to a group; give the response."""

    def add(group, by="ann", **said):
        body = {"security_group_id": group["id"], "direction": "ingress", **said}
        return http("POST", "/security-group-rules", {"security_group_rule": body}, by=by)

    return add


def message(response, status):
    assert response.status_int == status, response.text
    return response.json["NeutronError"]["message"]


def test_each_project_has_a_default_group(get):
    """It is there at the first look, lets everything out, and its own members in."""
    (group,) = get("/security-groups")
    assert (group["name"], group["project_id"], group["tenant_id"]) == ("default", "ours", "ours")
    said = {(each["direction"], each["ethertype"], each["remote_group_id"]) for each in group["security_group_rules"]}
    own = group["id"]
    assert said == {
        ("egress", "IPv4", None), ("egress", "IPv6", None), ("ingress", "IPv4", own), ("ingress", "IPv6", own)
    }  # fmt: skip
    assert get("/security-groups") == [group]
    assert get("/security-groups", by="bob")[0]["id"] != own


def test_a_group_is_made_changed_and_deleted(make, get, http):
    """It begins with rules that let everything out; a change counts as a revision."""
    group = make(description="of the web", stateful=False)
    assert (group["name"], group["description"], group["stateful"]) == ("web", "of the web", False)
    assert {(each["direction"], each["protocol"]) for each in group["security_group_rules"]} == {("egress", None)}
    path = f"/security-groups/{group['id']}"
    assert get(path) == group
    assert http("PUT", path, {"security_group": {"name": "shop"}}).json["security_group"]["revision_number"] == 2
    assert get(path)["name"] == "shop"
    assert http("DELETE", path).status_int == 204
    assert http("GET", path).status_int == 404


def test_rules(make, add, get, http):
    """A rule is added to a group, found by it, and deleted."""
    group = make()
    made = add(group, protocol="tcp", port_range_min=22, port_range_max=22, remote_ip_prefix="10.0.0.7/24")
    rule = made.json["security_group_rule"]
    assert (made.status_int, rule["ethertype"], rule["normalized_cidr"]) == (201, "IPv4", "10.0.0.0/24")
    found = get(f"/security-group-rules?security_group_id={group['id']}&direction=ingress")
    assert found == [rule] == [get(f"/security-group-rules/{rule['id']}")]
    assert rule in get(f"/security-groups/{group['id']}")["security_group_rules"]
    assert http("DELETE", f"/security-group-rules/{rule['id']}").status_int == 204
    assert http("GET", f"/security-group-rules/{rule['id']}").status_int == 404


def test_the_same_rule_twice(make, add):
    """It is a conflict, which names the first."""
    group = make()
    rule = add(group, protocol="icmp").json["security_group_rule"]
    assert message(add(group, protocol="icmp"), 409) == f"Security group rule already exists. Rule id is {rule['id']}."


def test_rules_that_name_a_group_go_with_it(make, add, get, http):
    """A rule by which another group was let in is gone with that group."""
    group, other = make(), make("other")
    rule = add(group, remote_group_id=other["id"]).json["security_group_rule"]
    http("DELETE", f"/security-groups/{other['id']}")
    assert http("GET", f"/security-group-rules/{rule['id']}").status_int == 404
    assert message(add(group, remote_group_id=other["id"]), 404) == f"Security group {other['id']} does not exist"


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"direction": "up"}, "direction"),
        ({"ethertype": "IPv5"}, "ethertype"),
        ({"protocol": "tcpp"}, "Security group rule protocol tcpp not supported"),
        ({"protocol": 256}, "Security group rule protocol 256 not supported"),
        ({"port_range_min": 22, "port_range_max": 22}, "Must also specify protocol"),
        ({"protocol": "tcp", "port_range_min": 23, "port_range_max": 22}, "port_range_min must be <= port_range_max"),
        ({"protocol": "tcp", "port_range_min": 22}, "port_range_min must be <= port_range_max"),
        ({"protocol": "tcp", "port_range_min": 70000, "port_range_max": 70000}, "port_range_min"),
        ({"protocol": "icmp", "port_range_max": 8}, "ICMP code"),
        ({"protocol": "icmp", "port_range_min": 256}, "ICMP type or code: 256"),
        ({"protocol": "gre", "port_range_min": 1, "port_range_max": 2}, "when protocol is gre"),
        ({"remote_ip_prefix": "10.0.0.0/33"}, "'10.0.0.0/33' is not a valid CIDR"),
        ({"remote_ip_prefix": "::/0"}, "Conflicting value ethertype IPv4 for CIDR ::/0"),
        ({"remote_ip_prefix": "10.0.0.0/8", "remote_group_id": "x"}, "Only remote_ip_prefix or remote_group_id"),
        ({"colour": "red"}, "colour"),
    ],
    ids=str,
)
def test_a_wrong_rule(make, add, said, complaint):
    """The refusal names what is wrong."""
    assert complaint in message(add(make(), **said), 400)


@pytest.mark.parametrize("said", [{"name": 7}, {"name": "x" * 256}, {"name": "web", "colour": "red"}, {}], ids=str)
def test_a_wrong_group(http, said):
    """The refusal names the field."""
    text = message(http("POST", "/security-groups", {"security_group": said}), 400)
    assert (next(reversed(said)) if said else "name") in text


def test_a_group_in_use(make, http, get, boot):
    """A server's port shows its groups, and keeps them from being deleted."""
    group = make()
    boot(security_groups=[group["id"]])
    assert get("/ports")[0]["security_groups"] == [group["id"]]
    assert message(http("DELETE", f"/security-groups/{group['id']}"), 409) == f"Security Group {group['id']} in use."


def test_the_default_group_stays(http, get):
    """It is not deleted, renamed or made again; only an administrator deletes it, who puts a project away."""
    path = f"/security-groups/{get('/security-groups')[0]['id']}"
    assert message(http("DELETE", path), 409) == "Insufficient rights for removing default security group."
    assert message(http("PUT", path, {"security_group": {"name": "x"}}), 409)
    assert message(http("POST", "/security-groups", {"security_group": {"name": "Default"}}), 409)
    assert http("PUT", path, {"security_group": {"name": "default", "description": "d"}}).status_int == 200
    assert http("DELETE", path, by="admin").status_int == 204


def test_who_may(make, add, http, get):
    """A reader changes nothing, another project finds nothing, and an administrator makes them for any project."""
    group = make()
    rule = group["security_group_rules"][0]
    for path in (f"/security-groups/{group['id']}", f"/security-group-rules/{rule['id']}"):
        assert http("DELETE", path, by="reader").status_int == 403
        assert http("DELETE", path, by="bob").status_int == 404
        assert http("GET", path, by="bob").status_int == 404
        assert http("GET", path, by="reader").status_int == 200
    assert add(group, by="reader").status_int == 403
    assert add(group, by="bob").status_int == 404
    body = {"security_group": {"name": "x", "project_id": "theirs"}}
    assert http("POST", "/security-groups", body, by="ann").status_int == 403
    assert http("POST", "/security-groups", body, by="admin").json["security_group"]["project_id"] == "theirs"
    assert http("POST", "/security-groups", {"security_group": {"name": "x"}}, by="stray").status_int == 403
    assert {each["project_id"] for each in get("/security-groups", by="admin")} == {"ours", "theirs", "admin"}
    assert get("/security-groups", by="stray") == []


def test_default_groups_are_made_once(db, get):
    """A process that is late, since another one has looked at the same moment, makes none."""
    (group,) = get("/security-groups")
    with db.write() as tx:
        assert security_groups.create(tx, "ours", "default", default_of="ours") is None
    assert get("/security-groups") == [group]
