"""Limits and quotas, and the network and the other small resources that can be read."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from mininova import states
from mininova.api.routes import ROUTES
from tests.fixtures.api_harness import IMAGE, NO_QUOTA
from tests.fixtures.statements import counted

PROJECT = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"


# Nova's own.
DEFAULTS = {"quota.instances": 10, "quota.cores": 20, "quota.ram": 51200}
CLIENTS = 64
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK0wmN/Cr3JXqmLW7u+g9pTh+wyqDHpSQEIQczXkVx9q x"


@pytest.fixture
def limited(make_api: Callable[..., Any]) -> Any:
    """Make an api with Nova's quotas."""
    return make_api(**DEFAULTS)


def ask(api: Any, user: str = "member", **server: Any) -> Any:
    """Ask for servers."""
    wanted = {"name": "vm", "flavorRef": "1", "imageRef": IMAGE, "networks": "auto", **server}
    return api("POST", "/servers", {"server": wanted}, version="2.37", user=user)


def set_quota(api: Any, user_id: str = "", version: str = "2.56", **limits: Any) -> Any:
    """Set quotas as an administrator does."""
    path = f"/os-quota-sets/{PROJECT}" + (f"?user_id={user_id}" if user_id else "")
    return api("PUT", path, {"quota_set": limits}, user="admin", version=version)


def in_use(api: Any, query: str = "") -> dict[str, int]:
    """Read what is used of each quota, of what is used at all."""
    detail = api("GET", f"/os-quota-sets/{PROJECT}/detail{query}").body["quota_set"]
    return {name: it["in_use"] for name, it in detail.items() if name != "id" and it["in_use"]}


# ---- what they refuse


def test_a_project_has_ten_instances_and_no_more(limited: Any) -> None:
    """The answer to the eleventh says what was asked for, what is used and what is allowed; nothing is left of it."""
    limited.boot(max_count=10, min_count=10)
    answer = ask(limited)
    assert (answer.status, answer.message) == (
        403, "Quota exceeded for instances: Requested 1, but already used 10 of 10 instances",
    )  # fmt: skip
    assert len(limited("GET", "/servers").body["servers"]) == 10
    assert ask(limited, user="stranger").status == 202


def test_all_that_is_exceeded_is_named(make_api: Callable[..., Any]) -> None:
    """Several quotas are listed, each with its numbers in the same order; a range is asked for as a range."""
    api = make_api(**{"quota.instances": 2, "quota.cores": 2, "quota.ram": 700})
    api.boot()
    assert ask(api, min_count=2, max_count=3).message == (
        "Quota exceeded for cores, instances, ram: Requested 3, 2-3, 1536, "
        "but already used 1, 1, 512 of 2, 2, 700 cores, instances, ram"
    )


def test_as_many_are_made_as_the_quota_allows(limited: Any) -> None:
    """A request says how few would do; what is made is numbered as if no more had been asked for."""
    limited.boot(max_count=7, min_count=7)
    assert ask(limited, name="few", min_count=2, max_count=5).status == 202
    names = {server["name"] for server in limited("GET", "/servers?name=few").body["servers"]}
    assert names == {"few-1", "few-2", "few-3"}
    ((built, spec),) = limited.conductor.builds[1:]
    assert (len(built), spec.num_instances) == (3, 3)


def test_a_deleted_server_makes_room(limited: Any) -> None:
    """Use is counted from the servers that there are."""
    uuid = limited.boot(max_count=10, min_count=10)
    limited("DELETE", f"/servers/{uuid}")
    assert (ask(limited).status, ask(limited).status) == (202, 403)


def test_a_server_is_restored_if_there_is_room(limited: Any) -> None:
    """One that was deleted and may be restored counts no more, until that begins."""
    uuid = limited.active()
    soft = limited.change(uuid, vm_state=states.SOFT_DELETED)
    limited.boot(max_count=10, min_count=10)
    answer = limited("POST", f"/servers/{uuid}/action", {"restore": None})
    assert (answer.status, answer.message) == (
        403, "Quota exceeded for instances: Requested 1, but already used 10 of 10 instances",
    )  # fmt: skip
    assert limited.instance(uuid) == soft
    assert set_quota(limited, instances=11).status == 200
    assert limited("POST", f"/servers/{uuid}/action", {"restore": None}).status == 202
    assert in_use(limited)["instances"] == 11


def test_of_64_requests_at_once_ten_are_granted(limited: Any) -> None:
    """None is one too many, and none is refused while there is room."""
    with ThreadPoolExecutor(CLIENTS) as clients:
        granted = [answer.status for answer in clients.map(lambda _: ask(limited), range(CLIENTS))]
    assert (granted.count(202), granted.count(403)) == (10, CLIENTS - 10)
    assert in_use(limited) == {"instances": 10, "cores": 10, "ram": 5120}


@pytest.mark.parametrize(("settings", "asked"), [(DEFAULTS, ["SELECT", "SELECT"]), (NO_QUOTA, ["SELECT"])])
def test_a_boot_counts_last_and_only_what_is_limited(
    make_api: Callable[..., Any], settings: Any, asked: list[str]
) -> None:
    """It is counted while the project's turn is held, which the last INSERT takes: others wait for little else."""
    api = make_api(**settings)
    api.boot()
    with counted(api.db) as statements:
        api.boot(metadata={"k": "v"})
    flavor, networks, *made = statements
    assert "quota" not in flavor + networks
    assert [it.split()[0] for it in made] == ["INSERT", "INSERT", "INSERT", *asked]
    assert made[2].startswith("INSERT INTO instances ")


def test_metadata_has_the_quota_of_the_project(api: Any) -> None:
    """It is refused when a server is made and when it is changed."""
    uuid = api.active(metadata={"a": "b"})
    assert set_quota(api, metadata_items=1).status == 200
    for answer in (
        ask(api, metadata={"a": "b", "c": "d"}),
        api("POST", f"/servers/{uuid}/metadata", {"metadata": {"c": "d"}}),
        api("POST", f"/servers/{uuid}/action", {"rebuild": {"imageRef": IMAGE, "metadata": {"a": "b", "c": "d"}}}),
    ):
        assert (answer.status, answer.message) == (403, "Maximum number of metadata items exceeds 1")


def test_key_pairs_have_a_quota(make_api: Callable[..., Any]) -> None:
    """It is the user's own: another one may have as many."""
    api = make_api(**{"quota.key_pairs": 2})

    def keep(number: int, user: str = "member") -> Any:
        return api("POST", "/os-keypairs", {"keypair": {"name": f"key-{number}", "public_key": KEY}}, user=user)

    with ThreadPoolExecutor(8) as clients:
        kept = [answer.status for answer in clients.map(keep, range(8))]
    assert (kept.count(200), kept.count(403)) == (2, 6)
    assert keep(9).message == "Quota exceeded, too many key pairs."
    assert keep(9, user="admin").status == 200


def test_server_groups_and_their_members_have_quotas(make_api: Callable[..., Any]) -> None:
    """Two groups, and two servers of one user in each; what is deleted makes room."""
    api = make_api(**{"quota.server_groups": 2, "quota.server_group_members": 2})

    def group(number: int) -> Any:
        body = {"server_group": {"name": f"group-{number}", "policies": ["anti-affinity"]}}
        return api("POST", "/os-server-groups", body, version="2.37")

    with ThreadPoolExecutor(8) as clients:
        made = list(clients.map(group, range(8)))
    assert sorted(answer.status for answer in made) == [200, 200, *[403] * 6]
    assert {it.message for it in made if it.status == 403} == {"Quota exceeded, too many server groups."}
    uuid = next(answer.body["server_group"]["id"] for answer in made if answer.status == 200)
    used = api("GET", "/limits").body["limits"]["absolute"]["totalServerGroupsUsed"]
    assert (used, in_use(api, "?user_id=member"), in_use(api)) == (2, {"server_groups": 2}, {"server_groups": 2})

    def boot(count: int) -> Any:
        wanted = {"name": "vm", "flavorRef": "1", "imageRef": IMAGE, "networks": "auto", "min_count": count}
        body = {"server": wanted, "os:scheduler_hints": {"group": uuid}}
        return api("POST", "/servers", body, version="2.37")

    assert (boot(3).status, boot(2).status) == (403, 202)
    assert (boot(1).status, boot(1).message) == (403, "Quota exceeded, too many servers in group")
    assert len(api("GET", "/servers").body["servers"]) == 2
    assert api("DELETE", f"/os-server-groups/{uuid}").status == 204
    assert group(9).status == 200


# ---- what is set


def test_the_closest_limit_holds(limited: Any) -> None:
    """A user's comes before the project's, that before the default class's, and that before the configuration's."""

    def shown(query: str = "") -> int:
        return limited("GET", f"/os-quota-sets/{PROJECT}{query}", user="admin").body["quota_set"]["cores"]

    assert shown() == 20
    update = {"quota_class_set": {"cores": 30}}
    assert limited("PUT", "/os-quota-class-sets/default", update, user="admin").body["quota_class_set"]["cores"] == 30
    assert (shown(), limited("GET", f"/os-quota-sets/{PROJECT}/defaults").body["quota_set"]["cores"]) == (30, 30)
    assert set_quota(limited, cores="40").body["quota_set"]["cores"] == 40
    assert set_quota(limited, "member", cores=5).body["quota_set"]["cores"] == 5
    assert (shown(), shown("?user_id=member"), shown("?user_id=reader")) == (40, 5, 40)
    path = f"/os-quota-sets/{PROJECT}"
    assert limited("DELETE", f"{path}?user_id=member", user="admin").status == 202
    assert (shown(), shown("?user_id=member")) == (40, 40)
    set_quota(limited, "member", cores=5)
    assert limited("DELETE", path, user="admin").status == 202
    assert (shown(), shown("?user_id=member")) == (30, 30)


def test_a_user_is_held_to_a_limit_of_its_own(limited: Any) -> None:
    """The others of the project may go on up to the project's."""
    set_quota(limited, "member", instances=1)
    limited.boot()
    assert ask(limited).message == "Quota exceeded for instances: Requested 1, but already used 1 of 1 instances"
    assert in_use(limited, "?user_id=member") == in_use(limited) == {"instances": 1, "cores": 1, "ram": 512}
    assert in_use(limited, "?user_id=reader") == {}


@pytest.mark.parametrize(
    ("user_id", "limits", "words"),
    [
        (
            "",
            {"instances": 1},
            "Quota limit 1 for instances must be greater than or equal to already used and reserved 2.",
        ),
        ("", {"cores": 3}, "Quota limit 3 for cores must be greater than or equal to already used and reserved 4."),
        (
            "member",
            {"ram": 1},
            "Quota limit 1 for ram must be greater than or equal to already used and reserved 1024.",
        ),
        ("reader", {"cores": 18}, "Quota limit 18 for cores must be less than or equal to 16."),
        ("reader", {"cores": -1}, "Quota limit -1 for cores must be less than or equal to 16."),
    ],
)
def test_a_limit_that_contradicts_what_is_so_must_be_forced(
    limited: Any, user_id: str, limits: dict[str, int], words: str
) -> None:
    """It is below what is used or was given to users, or beyond what the project has left for one."""
    limited.boot(max_count=2, min_count=2)
    assert set_quota(limited, "member", cores=4).status == 200
    answer = set_quota(limited, user_id, **limits)
    assert (answer.status, answer.message) == (400, words)
    ((name, limit),) = limits.items()
    assert set_quota(limited, user_id, force=True, **limits).body["quota_set"][name] == limit


def test_quotas_are_set_by_administrators(api: Any) -> None:
    """Everyone else is refused, the owner of the project too."""
    for method, path, body in (
        ("PUT", f"/os-quota-sets/{PROJECT}", {"quota_set": {"cores": 1}}),
        ("DELETE", f"/os-quota-sets/{PROJECT}", None),
        ("GET", "/os-quota-class-sets/default", None),
        ("PUT", "/os-quota-class-sets/default", {"quota_class_set": {"cores": 1}}),
    ):
        assert api(method, path, body).status == 403
    assert api("PUT", "/os-quota-sets/x", {"quota_set": {"cores": 1}}, user="admin").status == 400


def test_a_class_shows_what_nova_shows(api: Any) -> None:
    """Networks left and server groups came with 2.50, injected files left with 2.57."""
    shown = [
        api("GET", "/os-quota-class-sets/any", user="admin", version=v).body["quota_class_set"]
        for v in ("2.49", "2.50", "2.57")
    ]
    assert [("fixed_ips" in it, "server_groups" in it, "injected_files" in it, it["id"]) for it in shown] == [
        (True, False, True, "any"), (False, True, True, "any"), (False, True, False, "any"),
    ]  # fmt: skip
    assert shown[1]["injected_file_path_bytes"] == 255


# ---- what is shown


def test_limits_say_what_is_used(limited: Any) -> None:
    """Use is counted from the project's servers, and limits are those of its quotas."""
    limited.boot(max_count=2)
    limited.boot(user="stranger")
    set_quota(limited, ram=-1)
    absolute = limited("GET", "/limits?reserved=False").body["limits"]["absolute"]
    assert (absolute["totalInstancesUsed"], absolute["totalCoresUsed"], absolute["totalRAMUsed"]) == (2, 2, 1024)
    assert (absolute["maxTotalInstances"], absolute["maxServerMeta"], absolute["maxTotalRAMSize"]) == (10, 128, -1)


def test_another_projects_limits_are_for_administrators(api: Any) -> None:
    """An administrator names the project by its id."""
    api.boot()
    assert api("GET", f"/limits?tenant_id={PROJECT}", user="stranger").status == 403
    seen = api("GET", f"/limits?tenant_id={PROJECT}", user="admin").body["limits"]["absolute"]
    assert seen["totalInstancesUsed"] == 1


def test_quota_sets_lose_what_nova_lost(api: Any) -> None:
    """Networks went with 2.36, injected files with 2.57."""
    shown = [api("GET", f"/os-quota-sets/{PROJECT}", version=v).body["quota_set"] for v in ("2.35", "2.36", "2.57")]
    assert [("fixed_ips" in it, "injected_files" in it, it["id"]) for it in shown] == [
        (True, True, PROJECT), (False, True, PROJECT), (False, False, PROJECT),
    ]  # fmt: skip


def test_quotas_show_what_is_in_use(api: Any) -> None:
    """The detailed form has the use of each resource."""
    api.boot()
    detail = api("GET", f"/os-quota-sets/{PROJECT}/detail").body["quota_set"]
    assert detail["instances"] == {"limit": -1, "in_use": 1, "reserved": 0}
    assert api("GET", f"/os-quota-sets/{PROJECT}/detail", user="stranger").status == 403


@pytest.mark.parametrize("path", ["", "/detail", "/defaults"])
def test_quotas_are_those_of_a_project_that_exists(api: Any, path: str) -> None:
    """An unknown project is 400, and the error names it."""
    answer = api("GET", f"/os-quota-sets/x{path}", user="admin")
    assert (answer.status, answer.message) == (400, "Project ID x is not a valid project.")


def test_the_flat_network_can_be_found_until_2_35(api: Any) -> None:
    """Clients without a network service look up a network's name here."""
    (network,) = api("GET", "/os-networks", version="2.35").body["networks"]
    assert (network["label"], network["cidr"], network["gateway"]) == ("flat", "10.0.0.0/16", "10.0.0.1")
    assert api("GET", f"/os-networks/{network['id']}").body["network"] == network
    assert api("GET", "/os-networks/flat").message == "Network not found"
    assert api("GET", "/os-networks", version="2.36").status == 404
    (seen,) = api("GET", "/os-tenant-networks", version="2.35").body["networks"]
    assert seen == {"id": network["id"], "label": "flat", "cidr": "None"}
    assert api("GET", f"/os-tenant-networks/{network['id']}").body["network"] == seen
    assert api("GET", "/os-tenant-networks/flat").message == "Network not found"
    assert api.boot(networks=[{"uuid": network["id"]}])


def test_there_are_no_aggregates(api: Any) -> None:
    """The list is empty, so that a client that asks can go on."""
    assert api("GET", "/os-aggregates", user="admin").body == {"aggregates": []}


# Segments of a URL whose extension has another name.
ALIASES = {
    "os-extra_specs": "os-flavor-extra-specs",
    "os-interface": "os-attach-interfaces",
    "os-security-group-rules": "os-security-groups",
    "os-snapshots": "os-volumes",
    "os-volume_attachments": "os-volumes",
}
# Resources of Nova whose extensions have the same name (nova: extension_info.py).
RESOURCES = {
    "os-agents", "os-aggregates", "os-assisted-volume-snapshots", "os-attach-interfaces", "os-availability-zone",
    "os-baremetal-nodes", "os-cells", "os-certificates", "os-cloudpipe", "os-console-auth-tokens", "os-fixed-ips",
    "os-flavor-access", "os-flavor-extra-specs", "os-floating-ip-pools", "os-floating-ips", "os-fping", "os-hosts",
    "os-hypervisors",
    "os-instance-actions", "os-instance_usage_audit_log", "os-keypairs", "os-migrations", "os-networks",
    "os-quota-class-sets", "os-quota-sets", "os-security-groups", "os-server-external-events", "os-server-groups",
    "os-server-password", "os-services", "os-simple-tenant-usage", "os-tenant-networks",
    "os-virtual-interfaces", "os-volumes",
}  # fmt: skip


def test_extensions_are_those_that_are_served(api: Any) -> None:
    """Each served resource that has an extension is listed with it, and no other extension is."""
    parts = {part for route in ROUTES for part in route.template.split("/") if part.startswith("os-")}
    listed = {extension["alias"] for extension in api("GET", "/extensions").body["extensions"]}
    assert listed & RESOURCES == {ALIASES.get(part, part) for part in parts}


def test_an_extension_is_shown_by_its_alias(api: Any) -> None:
    """The answer is the same as in the list."""
    listed = api("GET", "/extensions").body["extensions"]
    assert [api("GET", f"/extensions/{it['alias']}").body["extension"] for it in listed] == listed
    assert api("GET", "/extensions/os-cells").status == 404
