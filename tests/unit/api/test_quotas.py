"""Limits, quotas, the network and the other small resources that can be read."""

from typing import Any

import pytest

from mininova.api.routes import ROUTES

PROJECT = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"


def test_limits_say_what_is_used(api: Any) -> None:
    """Use is counted from the project's servers; a resource without a limit says so."""
    api.boot(max_count=2)
    api.boot(user="stranger")
    absolute = api("GET", "/limits?reserved=False").body["limits"]["absolute"]
    assert (absolute["totalInstancesUsed"], absolute["totalCoresUsed"], absolute["totalRAMUsed"]) == (2, 2, 1024)
    assert (absolute["maxTotalInstances"], absolute["maxServerMeta"]) == (-1, 128)


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
    assert api.boot(networks=[{"uuid": network["id"]}])


def test_there_are_no_aggregates(api: Any) -> None:
    """The list is empty, so that a client that asks can go on."""
    assert api("GET", "/os-aggregates", user="admin").body == {"aggregates": []}


# Segments of a URL whose extension has another name.
ALIASES = {"os-extra_specs": "os-flavor-extra-specs"}
# Resources of Nova whose extensions have the same name (nova: extension_info.py).
RESOURCES = {
    "os-agents", "os-aggregates", "os-availability-zone", "os-cells", "os-certificates", "os-cloudpipe", "os-fixed-ips",
    "os-flavor-access", "os-flavor-extra-specs", "os-floating-ips", "os-fping", "os-hosts", "os-hypervisors",
    "os-instance-actions", "os-keypairs", "os-migrations", "os-networks", "os-quota-class-sets", "os-quota-sets",
    "os-security-groups", "os-server-groups", "os-server-password", "os-services", "os-simple-tenant-usage",
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
    assert api("GET", "/extensions/os-hosts").status == 404
