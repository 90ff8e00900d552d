"""Usage is computed from the rows, for the part of a period that each server ran in."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mininova import states

PROJECT = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
PATH = f"/os-simple-tenant-usage/{PROJECT}"
DAY = datetime(2026, 1, 1, tzinfo=UTC)
PERIOD = "start=2026-01-01T00:00:00&end=2026-01-01T10:00:00"


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def usage(api: Any, query: str = PERIOD, user: str = "member", version: str | None = None) -> Any:
    return api("GET", f"{PATH}?{query}", user=user, version=version).body["tenant_usage"]


def test_a_server_is_charged_for_what_it_ran_of_the_period(api: Any) -> None:
    """What was before or after the period is free, and so is a server that was never launched."""
    api.boot()
    long, short = api.active(name="long"), api.active(name="short", flavorRef="2")
    api.change(long, launched_at=DAY - hours(5))
    api.change(short, launched_at=DAY + hours(1), terminated_at=DAY + hours(3), vm_state=states.STOPPED)
    seen = usage(api)
    assert {it["name"]: (it["hours"], it["state"], it["flavor"]) for it in seen.pop("server_usages")} == {
        "long": (10.0, "active", "m1.tiny"), "short": (2.0, "terminated", "m1.small"),
    }  # fmt: skip
    assert seen == {
        "tenant_id": PROJECT,
        "start": "2026-01-01T00:00:00.000000",
        "stop": "2026-01-01T10:00:00.000000",
        "total_hours": 12.0,
        "total_memory_mb_usage": 10 * 512.0 + 2 * 2048,
        "total_vcpus_usage": 12.0,
        "total_local_gb_usage": 10 * 1.0 + 2 * 20,
    }


def test_a_server_says_when_it_ran(api: Any) -> None:
    """Its uptime is that of all of its life; one that can be restored has ended."""
    uuid = api.active()
    api.change(uuid, launched_at=DAY - hours(1), terminated_at=DAY + hours(1))
    (seen,) = usage(api)["server_usages"]
    assert (seen["instance_id"], seen["uptime"], seen["started_at"], seen["ended_at"]) == (
        uuid, 7200, "2025-12-31T23:00:00.000000", "2026-01-01T01:00:00.000000",
    )  # fmt: skip
    api.change(uuid, terminated_at=None, vm_state=states.SOFT_DELETED)
    (seen,) = usage(api)["server_usages"]
    assert (seen["state"], seen["ended_at"]) == ("terminated", None)


def test_the_period_ends_now_at_the_latest(api: Any) -> None:
    """Without a beginning or an end it is this very moment, in which little was used."""
    api.change(api.active(), launched_at=datetime.now(UTC) - hours(2))
    assert usage(api, "end=2999-01-01T00:00:00&start=2026-01-01 00:00:00.0")["total_hours"] == pytest.approx(2, abs=0.1)
    assert usage(api, "")["total_hours"] == pytest.approx(0, abs=0.001)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("start=yesterday", "Invalid datetime string: Datetime is in invalid format"),
        ("start=2026-01-02T00:00:00&end=2026-01-01T00:00:00",
         "Invalid start time. The start time cannot occur after the end time."),
        ("limit=1&marker=x", "Marker x could not be found."),
    ],
)  # fmt: skip
def test_a_period_that_is_none_is_400(api: Any, query: str, words: str) -> None:
    """The answer says why."""
    answer = api("GET", f"{PATH}?{query}", version="2.40")
    assert (answer.status, answer.message) == (400, words)


def test_the_list_has_each_project(api: Any) -> None:
    """It is for administrators; servers are listed only in detail."""
    api.change(api.active(), launched_at=DAY)
    api.change(api.active(user="stranger"), launched_at=DAY)
    path = f"/os-simple-tenant-usage?{PERIOD}"
    assert api("GET", path).status == 403
    listed = api("GET", path, user="admin").body["tenant_usages"]
    assert [(it["tenant_id"][0], it["total_hours"], "server_usages" in it) for it in listed] == [
        ("a", 10.0, False), ("b", 10.0, False),
    ]  # fmt: skip
    assert all(
        len(it["server_usages"]) == 1 for it in api("GET", f"{path}&detailed=1", user="admin").body["tenant_usages"]
    )


def test_usage_is_the_projects_own(api: Any) -> None:
    """A project that used nothing has an empty answer."""
    assert usage(api) == {}
    assert api("GET", f"{PATH}?{PERIOD}", user="stranger").status == 403


def test_usage_comes_in_pages_since_2_40(api: Any) -> None:
    """The servers of all pages are those of one; an older client gets them at once, and no link."""
    for _ in range(3):
        api.change(api.active(), launched_at=DAY)
    assert len(usage(api, f"{PERIOD}&limit=1", version="2.39")["server_usages"]) == 3
    seen, url = [], f"{PATH}?{PERIOD}&limit=2"
    while url:
        page = api("GET", url, version="2.40").body
        seen += [it["instance_id"] for it in page["tenant_usage"].get("server_usages", ())]
        links = page.get("tenant_usage_links")
        url = links[0]["href"].partition("/v2.1")[2] if links else ""
    assert (len(seen), len(set(seen))) == (3, 3)


def test_the_audit_log_names_the_hosts_and_the_period(make_api: Any) -> None:
    """The period is the last one that was over before the moment in the URL, or before now."""
    api = make_api(instance_usage_audit_period="day@6")
    log = api("GET", "/os-instance_usage_audit_log/2026-01-03 06:00:00.0", user="admin").body[
        "instance_usage_audit_log"
    ]
    assert (log["period_beginning"], log["period_ending"]) == ("2026-01-01 06:00:00", "2026-01-02 06:00:00")
    assert (log["hosts_not_run"], log["overall_status"]) == (["host-1", "host-2"], "0 of 2 hosts done. 0 errors.")
    assert api("GET", "/os-instance_usage_audit_log", user="admin").body["instance_usage_audit_logs"]["num_hosts"] == 2
    wrong = api("GET", "/os-instance_usage_audit_log/today", user="admin")
    assert (wrong.status, wrong.message) == (400, "Invalid timestamp for date today")
    assert api("GET", "/os-instance_usage_audit_log").status == 403
