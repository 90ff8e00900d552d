"""How much a project may have of each kind of thing, and the tags of each."""

import pytest


@pytest.fixture
def limit(http):
    """Say how much the callers' project may have."""

    def limit(**most):
        response = http("PUT", "/quotas/ours", {"quota": most}, by="admin")
        assert response.status_int == 200, response.text
        return response.json["quota"]

    return limit


def test_what_a_project_may_have(get, http, boot, limit):
    """Neutron's defaults, or what an administrator says; what is used is counted; another project's are not shown."""
    boot()
    get("/security-groups")
    assert get("/quotas/ours") == get("/quotas/ours/default")
    assert get("/quotas/ours")["port"] == 500
    assert limit(port=-1, network=7)["port"] == -1
    assert limit(network=8)["port"] == -1
    assert get("/quotas/ours/details.json")["port"] == {"limit": -1, "used": 1, "reserved": 0}
    assert get("/quotas/ours/details")["security_group_rule"]["used"] == 4
    assert limit(port=0)["port"] == 0
    refused = http("PUT", "/quotas/ours", {"quota": {"port": 0, "check_limit": True}}, by="admin")
    assert (refused.status_int, "already used 1" in refused.text) == (400, True)
    assert limit(port=1, check_limit=True)["port"] == 1
    assert [(each["project_id"], each["network"]) for each in get("/quotas", by="admin")] == [("ours", 8)]
    assert http("DELETE", "/quotas/ours", by="admin").status_int == 204
    assert get("/quotas/ours") == get("/quotas/ours/default")
    assert get("/quotas", by="admin") == []


@pytest.mark.parametrize(
    ("method", "path", "by"),
    [("GET", "/ours", "bob"), ("GET", "", "ann"), ("PUT", "/ours", "ann"), ("DELETE", "/ours", "ann")],
)
def test_whose_quotas_they_are(http, method, path, by):
    """A project reads its own, and an administrator changes them."""
    body = {"quota": {"port": 1}} if method == "PUT" else None
    assert http(method, f"/quotas{path}", body, by=by).status_int == 403


@pytest.mark.parametrize("said", [{"port": -2}, {"port": "many"}, {"port": 2**31}, {"doors": 1}])
def test_a_quota_that_is_none(http, said):
    """It is 400, and the message names it."""
    response = http("PUT", "/quotas/ours", {"quota": said}, by="admin")
    assert response.status_int == 400
    assert next(iter(said)) in response.json["NeutronError"]["message"]


def test_there_is_no_more_than_a_quota_allows(make, http, limit):
    """One more of any kind is 409, and there is room again when one is gone."""
    out = make("network", by="admin", project_id="theirs", **{"router:external": True})
    make("subnet", by="admin", network_id=out["id"], ip_version=4, cidr="172.24.4.0/24")
    network = make("network")
    subnet = make("subnet", network_id=network["id"], ip_version=4, cidr="192.168.7.0/24")
    port, router = make("port", network_id=network["id"]), make("router", name="r")
    group = make("security_group", name="web")
    ip = make("floatingip", floating_network_id=out["id"])
    limit(network=1, subnet=1, port=1, router=1, floatingip=1, security_group=2, security_group_rule=6)
    rule = {"security_group_id": group["id"], "direction": "ingress"}
    one_more = {
        "networks": ({"network": {}}, network),
        "ports": ({"port": {"network_id": network["id"]}}, port),
        "subnets": ({"subnet": {"network_id": network["id"], "ip_version": 4, "cidr": "10.9.0.0/24"}}, subnet),
        "routers": ({"router": {}}, router),
        "floatingips": ({"floatingip": {"floating_network_id": out["id"]}}, ip),
        "security-groups": ({"security_group": {"name": "db"}}, group),
        "security-group-rules": ({"security_group_rule": rule}, group["security_group_rules"][0]),
    }
    for path, (body, _) in one_more.items():
        answer = http("POST", f"/{path}", body)
        assert answer.status_int == 409, path
        assert answer.json["NeutronError"]["message"] == f"Quota exceeded for resources: ['{next(iter(body))}']."
    body, there = one_more["security-group-rules"]
    assert http("DELETE", f"/security-group-rules/{there['id']}").status_int == 204
    assert http("POST", "/security-group-rules", body).status_int == 201
    body, there = one_more["routers"]
    assert http("DELETE", f"/routers/{there['id']}").status_int == 204
    assert http("POST", "/routers", body).status_int == 201


@pytest.fixture
def things(make):
    """Make one of each kind of thing that has tags; give path → id."""
    network = make("network", by="ann")
    out = make("network", by="admin", project_id="theirs", **{"router:external": True})
    make("subnet", by="admin", network_id=out["id"], ip_version=4, cidr="172.24.4.0/24")
    made = {
        "networks": network,
        "subnets": make("subnet", network_id=network["id"], ip_version=4, cidr="192.168.7.0/24"),
        "ports": make("port", network_id=network["id"]),
        "routers": make("router"),
        "floatingips": make("floatingip", floating_network_id=out["id"]),
        "security-groups": make("security_group", name="web"),
    }
    return {path: each["id"] for path, each in made.items()}


def test_tags(things, http, get):
    """They are set all at once or one by one, looked for, and taken away."""
    for path, id in things.items():
        one, tags = f"/{path}/{id}", f"/{path}/{id}/tags"
        before = get(one)["revision_number"]
        assert http("PUT", tags, {"tags": ["red", "blue", "red"]}).json == {"tags": ["blue", "red"]}
        assert http("PUT", f"{tags}/green").status_int == 201
        assert http("PUT", f"{tags}/green").status_int == 201
        assert get(tags) == get(one)["tags"] == ["blue", "green", "red"]
        assert get(one)["revision_number"] > before
        assert http("GET", f"{tags}/green").status_int == 204
        assert http("DELETE", f"{tags}/green").status_int == 204
        assert http("GET", f"{tags}/green").status_int == http("DELETE", f"{tags}/green").status_int == 404
        assert [each["id"] for each in get(f"/{path}?tags=red,blue")] == [id]
        assert get(f"/{path}?tags=red,green") == []
        assert [each["id"] for each in get(f"/{path}?tags-any=red,green")] == [id]
        assert id not in [each["id"] for each in get(f"/{path}?not-tags=red,blue")]
        assert id in [each["id"] for each in get(f"/{path}?not-tags=red,green")]
        assert id not in [each["id"] for each in get(f"/{path}?not-tags-any=red,green")]
        assert http("PUT", tags, {"tags": "red"}).status_int == 400
        assert http("PUT", tags, {}).status_int == 400
        assert http("PUT", tags, {"tags": ["a,b"]}).status_int == http("PUT", f"{tags}/{'x' * 256}").status_int == 400
        for method, body in (("PUT", {"tags": []}), ("DELETE", None)):
            assert http(method, tags, body, by="bob").status_int == 404
            assert http(method, tags, body, by="reader").status_int == 403
        assert http("DELETE", tags).status_int == 204
        assert get(tags) == []
