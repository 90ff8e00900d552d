"""Which servers a list has, and in which order."""

from typing import Any

import pytest


@pytest.fixture
def fleet(api: Any) -> Any:
    """Make three servers: one active, one stopped, one being built."""
    api.active(name="web-1", version="2.52", tags=["red", "blue"], metadata={})
    stopped = api.active(name="web-2", flavorRef="2", version="2.52", tags=["red"], host="host-2")
    api.change(stopped, vm_state="stopped")
    api.boot(name="db-1")
    return api


def names(api: Any, query: str, user: str = "member", version: str = "2.1") -> list[str]:
    answer = api("GET", f"/servers?sort_key=display_name&sort_dir=asc&{query}", user=user, version=version)
    assert answer.status == 200, answer.body
    return [server["name"] for server in answer.body["servers"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("name=web", ["web-1", "web-2"]),
        ("name=^.*-1$", ["db-1", "web-1"]),
        ("status=ACTIVE", ["web-1"]),
        ("status=active&status=SHUTOFF", ["web-1", "web-2"]),
        ("status=REBOOT", []),
        ("status=RESCUE", []),
        ("status=nonsense", []),
        ("flavor=2", ["web-2"]),
        ("image=11111111-1111-4111-8111-111111111111", ["db-1", "web-1", "web-2"]),
        ("changes-since=2100-01-01T00:00:00Z", []),
        ("changes-since=2020-01-01T00:00:00", ["db-1", "web-1", "web-2"]),
        ("host=host-2", ["db-1", "web-1", "web-2"]),
        ("deleted=False", ["db-1", "web-1", "web-2"]),
    ],
)
def test_any_user_filters_by_these(fleet: Any, query: str, found: list[str]) -> None:
    """A filter that a user may not use is ignored without an error."""
    assert names(fleet, query) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("tags=red", ["web-1", "web-2"]),
        ("tags=red,blue", ["web-1"]),
        ("tags-any=blue,green", ["web-1"]),
        ("not-tags=red,blue", ["db-1", "web-2"]),
        ("not-tags-any=red", ["db-1"]),
    ],
)
def test_tags_filter_from_2_26_on(fleet: Any, query: str, found: list[str]) -> None:
    """The filters find servers with all, any or none of some tags."""
    assert names(fleet, query, version="2.26") == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("host=host-2", ["web-2"]),
        ("node=host-1", ["web-1"]),
        ("vm_state=stopped", ["web-2"]),
        ("task_state=scheduling", ["db-1"]),
        ("power_state=1", ["web-1", "web-2"]),
        ("user_id=nobody", []),
        ("availability_zone=mars", []),
    ],
)
def test_administrators_filter_by_every_column(fleet: Any, query: str, found: list[str]) -> None:
    """They search all projects, by every column."""
    assert names(fleet, f"all_tenants=1&{query}", "admin") == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("marker=", 3), ("deleted=", 3), ("deleted=x", 3), ("deleted=-1", 3), ("launch_index=", 3),
        ("launch_index=x", 0), ("launch_index=-1", 0), ("launch_index=0", 3), ("power_state=x", 0),
        ("power_state=-1", 0), ("power_state=^[01]$", 3), ("progress=x", 0), ("progress=0", 3), ("config_drive=-1", 0),
        ("config_drive=x", 0), ("config_drive=true", 0), ("created_at=x", 0), ("launched_at=x", 0),
        ("terminated_at=x", 0), ("uuid=x", 0), ("task_state=None", 0), ("vm_state=x", 0), ("host=", 0), ("image=x", 0),
        ("flavor=x", 0), ("ip=x", 0), ("reservation_id=r-", 3), ("reservation_id=_", 0), ("soft_deleted=x", 3),
        ("description=x", 3), ("locked=x", 3), ("tags=", 3), ("tags=x", 3), ("changes-before=x", 3),
    ],
)  # fmt: skip
def test_a_value_that_no_server_has_finds_none(fleet: Any, query: str, found: int) -> None:
    """A value of the wrong type is 200 with an empty list; a filter of a later version has no effect."""
    assert len(names(fleet, f"all_tenants=1&{query}", "admin")) == found


def test_users_have_more_filters_from_2_83_on(fleet: Any) -> None:
    """Before, a user's filter by vm_state was ignored."""
    assert names(fleet, "vm_state=stopped", version="2.82") == ["db-1", "web-1", "web-2"]
    assert names(fleet, "vm_state=stopped", version="2.83") == ["web-2"]


def test_deleted_servers_are_for_administrators(fleet: Any) -> None:
    """They use deleted=True or the status."""
    uuid = fleet("GET", "/servers?name=db-1").body["servers"][0]["id"]
    fleet("DELETE", f"/servers/{uuid}")
    assert names(fleet, "all_tenants=1&deleted=True", "admin") == ["db-1"]
    assert names(fleet, "all_tenants=1&status=DELETED", "admin") == ["db-1"]
    assert names(fleet, "changes-since=2020-01-01T00:00:00Z") == ["db-1", "web-1", "web-2"]
    assert fleet("GET", "/servers?status=DELETED").message == "Only administrators may list deleted instances"


@pytest.mark.parametrize(
    ("query", "version", "words"),
    [
        ("status=nonsense", "2.38", "Invalid status value"),
        ("all_tenants=x", "2.1", "Unrecognized value 'x', acceptable values are: '0', '1', 'f'"),
        ("locked=x", "2.73", "Unrecognized value 'x'"),
        ("locked=", "2.73", "Unrecognized value ''"),
        ("all_tenants=None", "2.1", "Unrecognized value 'None'"),
        ("marker=x", "2.1", "marker [x] not found"),
        ("sort_dir=x", "2.1", "Unknown sort direction, must be 'desc' or 'asc'"),
        ("sort_key=uuid&sort_dir=asc&sort_dir=asc", "2.1", "Sort direction array size exceeds sort key array size"),
        ("changes-since=2026-02-01T00:00:00&changes-before=2026-01-01T00:00:00", "2.66", "must be less than or equal"),
    ],
)
def test_values_without_a_meaning_are_400(api: Any, query: str, version: str, words: str) -> None:
    """The error names the value."""
    answer = api("GET", f"/servers?{query}", version=version)
    assert answer.status == 400
    assert words in answer.message


@pytest.mark.parametrize("name", ["metadata", "services", "_x"])
def test_an_unknown_filter_of_an_administrator_is_refused(api: Any, name: str) -> None:
    """An administrator's unknown filter is an error: it is not ignored."""
    assert api("GET", f"/servers?{name}=1", user="admin").message == f"Invalid filter field: {name}."


def test_sorts_by_several_keys(fleet: Any) -> None:
    """The first key weighs most; a direction may be left out."""
    query = "sort_key=power_state&sort_key=display_name&sort_dir=asc"
    listed = fleet("GET", f"/servers?{query}").body["servers"]
    assert [server["name"] for server in listed] == ["db-1", "web-1", "web-2"]


def test_old_sort_keys_are_taken_and_ignored(fleet: Any) -> None:
    """Nova once took them, and some clients may send them."""
    assert len(fleet("GET", "/servers?sort_key=vm_mode", version="2.74").body["servers"]) == 3
    assert fleet("GET", "/servers?sort_key=vm_mode", version="2.75").status == 400


def test_sorting_by_host_is_for_administrators(api: Any) -> None:
    """The order would show users which servers share a host."""
    assert api("GET", "/servers?sort_key=host").message == "Only administrators can sort servers by host"
