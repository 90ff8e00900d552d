"""Flavors, their extra specs, and which projects may use them."""

from typing import Any

import pytest

OTHER = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
SIZE = {"name": "m1.nano", "ram": "64", "vcpus": 1, "disk": 1}


def make(api: Any, version: str = "2.1", user: str = "admin", **flavor: Any):
    return api("POST", "/flavors", {"flavor": {**SIZE, **flavor}}, version=version, user=user)


def ids(api: Any, query: str = "", user: str = "member") -> list[str]:
    return [flavor["id"] for flavor in api("GET", f"/flavors?{query}", user=user).body["flavors"]]


def test_a_flavor_is_made_with_an_id_or_gets_one(api: Any) -> None:
    """The number may be sent as a string, and an id as a number."""
    assert make(api, id=7).body["flavor"]["id"] == "7"
    assert len(make(api, name="other").body["flavor"]["id"]) == 36


def test_an_id_and_a_name_are_taken_once(api: Any) -> None:
    """The error is 409 and says which of them is taken."""
    assert make(api, id="1").message == "Flavor with ID 1 already exists."
    assert make(api, name="m1.tiny").message == "Flavor with name m1.tiny already exists."


def test_making_flavors_is_for_administrators(api: Any) -> None:
    """Only administrators make and delete flavors."""
    assert make(api, user="member").status == 403
    assert api("DELETE", "/flavors/1").status == 403


def test_swap_was_once_a_word(api: Any) -> None:
    """No swap is "" before 2.75 and 0 from then on."""
    assert [api("GET", "/flavors/1", version=v).body["flavor"]["swap"] for v in ("2.74", "2.75")] == ["", 0]


def test_a_description_comes_and_goes(api: Any) -> None:
    """From 2.55 on it is kept, shown and changed."""
    make(api, version="2.55", id="d", description="one")
    body = {"flavor": {"description": None}}
    assert api("GET", "/flavors/d", version="2.55").body["flavor"]["description"] == "one"
    assert api("PUT", "/flavors/d", body, version="2.55", user="admin").body["flavor"]["description"] is None
    assert api("PUT", "/flavors/d", body, version="2.54", user="admin").status == 404


def test_a_flavor_that_is_gone_is_gone(api: Any) -> None:
    """Deleting is 202, then the flavor is 404; a server that has it keeps it."""
    uuid = api.boot()
    assert api("DELETE", "/flavors/1", user="admin").status == 202
    assert api("GET", "/flavors/1").message == "Flavor 1 could not be found."
    assert api("GET", f"/servers/{uuid}", version="2.47").body["server"]["flavor"]["original_name"] == "m1.tiny"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["1", "2"]),
        ("minRam=1024", ["2"]),
        ("minDisk=2", ["2"]),
        ("limit=1", ["1"]),
        ("marker=1", ["2"]),
        ("sort_key=memory_mb&sort_dir=desc", ["2", "1"]),
        ("sort_key=swap", ["1", "2"]),
    ],
)
def test_lists_are_filtered_sorted_and_paged(api: Any, query: str, found: list[str]) -> None:
    """The parameters have Nova's names."""
    assert ids(api, query) == found


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("minRam=x", "Invalid minRam filter [x]"),
        ("minDisk=", "Invalid minDisk filter []"),
        ("marker=x", "marker [x] not found"),
        ("marker=", "marker [] not found"),
        ("is_public=zz", "Invalid is_public filter [zz]"),
        ("is_public=", "Invalid is_public filter []"),
    ],
)
def test_a_filter_without_a_meaning_is_400(api: Any, query: str, words: str) -> None:
    """The error quotes it."""
    assert api("GET", f"/flavors?{query}", user="admin").message == words


def test_is_public_is_for_administrators(api: Any) -> None:
    """For other users the parameter has no effect, even if it is not a boolean."""
    make(api, id="p", **{"os-flavor-access:is_public": False})
    assert [ids(api, f"is_public={word}") for word in ("None", "zz")] == [["1", "2"], ["1", "2"]]


def test_private_flavors_are_for_projects_with_access(api: Any) -> None:
    """An administrator lists them on demand; a project sees those that it may use."""
    make(api, id="p", **{"os-flavor-access:is_public": False})
    assert ids(api) == ["1", "2"]
    assert [ids(api, f"is_public={word}", "admin") for word in ("None", "False", "True")] == [
        ["1", "2", "p"], ["p"], ["1", "2"],
    ]  # fmt: skip
    grant(api, "addTenantAccess", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
    assert ids(api) == ["1", "2", "p"]
    assert api("GET", "/flavors/p", user="stranger").status == 404


def grant(api: Any, action: str, project: str, flavor: str = "p", version: str = "2.7"):
    return api("POST", f"/flavors/{flavor}/action", {action: {"tenant": project}}, version=version, user="admin")


def test_access_is_given_and_taken_once(api: Any) -> None:
    """A new private flavor's list is empty: it does not even have its creator's project."""
    make(api, id="p", **{"os-flavor-access:is_public": "false"})
    assert api("GET", "/flavors/p/os-flavor-access", user="admin").body == {"flavor_access": []}
    added = grant(api, "addTenantAccess", OTHER).body["flavor_access"]
    assert added == [{"flavor_id": "p", "tenant_id": OTHER}]
    assert grant(api, "addTenantAccess", OTHER).status == 409
    assert api("GET", "/flavors/p/os-flavor-access", user="admin").body["flavor_access"] == added
    assert grant(api, "removeTenantAccess", OTHER).status == 200
    assert grant(api, "removeTenantAccess", OTHER).message == f"Flavor access not found for p / {OTHER} combination."


def test_access_is_for_projects_that_exist(api: Any) -> None:
    """An unknown project is 400; one that was deleted can still be removed from the list."""
    make(api, id="p", **{"os-flavor-access:is_public": False})
    assert grant(api, "addTenantAccess", "x").message == "Project ID x is not a valid project."
    assert grant(api, "addTenantAccess", OTHER).status == 200
    api.projects.there.remove(OTHER)
    assert grant(api, "removeTenantAccess", OTHER).body == {"flavor_access": []}


def test_a_public_flavor_has_no_access_list(api: Any) -> None:
    """404 for reading, and from 2.7 on 409 for adding."""
    assert api("GET", "/flavors/1/os-flavor-access", user="admin").status == 404
    assert grant(api, "addTenantAccess", OTHER, flavor="1").message == "Can not add access to a public flavor."


# ---- extra specs


def specs(api: Any, method: str, path: str = "", body: Any = None, version: str = "2.1", user: str = "admin"):
    return api(method, f"/flavors/1/os-extra_specs{path}", body, version=version, user=user)


def test_extra_specs_are_set_shown_and_unset(api: Any) -> None:
    """A request sets several beside the others, or one."""
    assert specs(api, "POST", body={"extra_specs": {"a": 1, "b": "2"}}).body == {"extra_specs": {"a": "1", "b": "2"}}
    assert specs(api, "PUT", "/a", {"a": "3"}).body == {"a": "3"}
    assert specs(api, "GET", user="member").body == {"extra_specs": {"a": "3", "b": "2"}}
    assert specs(api, "DELETE", "/a").status == 200
    assert specs(api, "GET", "/a").message == "Flavor 1 has no extra specs with key a."
    assert specs(api, "PUT", "/a", {"b": "1"}).message == "Request body and URI mismatch"
    assert api("GET", "/flavors/1", version="2.61").body["flavor"]["extra_specs"] == {"b": "2"}


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("hw:cpu_policy", "shared", None),
        ("hw:cpu_policy", "sharrred", "'sharrred' is not one of: dedicated, shared, mixed."),
        ("hw:foo", "x", "extra spec 'hw:foo' does not appear to be a valid extra spec."),
        ("foo:bar", "x", None),
        ("foo", "x", None),
        ("hw:cpu_sockets", "0", "'0' is less than the min value of '1'."),
        ("hw:redirected_usb_ports", "16", "'16' is greater than the max value of '15'."),
        ("resources:VCPU", "x", "'x' is not a valid integer value."),
        ("resources_1:CUSTOM_X", "1", None),
        ("trait:HW_CPU_X86_AVX", "required", None),
        ("trait:x", "x", "extra spec 'trait:x' does not appear to be a valid extra spec."),
        ("hw:boot_menu", "maybe", "'maybe' is not a valid boolean value."),
        ("hw:numa_cpus.0", "0-3,^1", None),
    ],
)
def test_novas_own_keys_are_checked_from_2_86_on(api: Any, key: str, value: str, words: str | None) -> None:
    """Keys in Nova's namespaces must be ones that Nova knows; other keys are free."""
    assert specs(api, "PUT", f"/{key}", {key: value}, version="2.85").status == 200
    answer = specs(api, "PUT", f"/{key}", {key: value}, version="2.86")
    assert (answer.message if answer.status == 400 else None) == (words and f"Validation failed; {words}")
