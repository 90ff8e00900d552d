"""Limits, quotas, the network and the other small things that can be read."""

from typing import Any

import pytest

PROJECT = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"


def test_limits_say_what_is_used(api: Any) -> None:
    """Counted from the project's servers; what is not limited says so."""
    api.boot(max_count=2)
    api.boot(user="stranger")
    absolute = api("GET", "/limits?reserved=False").body["limits"]["absolute"]
    assert (absolute["totalInstancesUsed"], absolute["totalCoresUsed"], absolute["totalRAMUsed"]) == (2, 2, 1024)
    assert (absolute["maxTotalInstances"], absolute["maxServerMeta"]) == (-1, 128)


def test_another_projects_limits_are_for_administrators(api: Any) -> None:
    """By the project's id."""
    api.boot()
    assert api("GET", f"/limits?tenant_id={PROJECT}", user="stranger").status == 403
    seen = api("GET", f"/limits?tenant_id={PROJECT}", user="admin").body["limits"]["absolute"]
    assert seen["totalInstancesUsed"] == 1


def test_quota_sets_lose_what_nova_lost(api: Any) -> None:
    """Networks with 2.36, injected files with 2.57."""
    shown = [api("GET", f"/os-quota-sets/{PROJECT}", version=v).body["quota_set"] for v in ("2.35", "2.36", "2.57")]
    assert [("fixed_ips" in it, "injected_files" in it, it["id"]) for it in shown] == [
        (True, True, PROJECT), (False, True, PROJECT), (False, False, PROJECT),
    ]  # fmt: skip


def test_quotas_show_what_is_in_use(api: Any) -> None:
    """In detail."""
    api.boot()
    detail = api("GET", f"/os-quota-sets/{PROJECT}/detail").body["quota_set"]
    assert detail["instances"] == {"limit": -1, "in_use": 1, "reserved": 0}
    assert api("GET", f"/os-quota-sets/{PROJECT}/detail", user="stranger").status == 403


@pytest.mark.parametrize("path", ["", "/detail", "/defaults"])
def test_quotas_are_those_of_a_project_that_exists(api: Any, path: str) -> None:
    """400 names the one that does not."""
    answer = api("GET", f"/os-quota-sets/x{path}", user="admin")
    assert (answer.status, answer.message) == (400, "Project ID x is not a valid project.")


def test_the_flat_network_can_be_found_until_2_35(api: Any) -> None:
    """Clients without a network service look here for a network by its name."""
    (network,) = api("GET", "/os-networks", version="2.35").body["networks"]
    assert (network["label"], network["cidr"], network["gateway"]) == ("flat", "10.0.0.0/16", "10.0.0.1")
    assert api("GET", f"/os-networks/{network['id']}").body["network"] == network
    assert api("GET", "/os-networks/flat").message == "Network not found"
    assert api("GET", "/os-networks", version="2.36").status == 404
    assert api.boot(networks=[{"uuid": network["id"]}])


def test_there_are_no_aggregates(api: Any) -> None:
    """The list is empty, so that a client that asks goes on."""
    assert api("GET", "/os-aggregates", user="admin").body == {"aggregates": []}


def test_extensions_are_what_they_were(api: Any) -> None:
    """A list that never changes any more; Tempest looks for one called Hosts."""
    listed = api("GET", "/extensions").body["extensions"]
    assert "Hosts" in [extension["name"] for extension in listed]
    assert api("GET", "/extensions/os-hosts").body["extension"] in listed
    assert api("GET", "/extensions/none").status == 404
