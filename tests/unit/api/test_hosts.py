"""Services, hypervisors and availability zones, as administrators see them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mininova import errors, rpc
from mininova.db import claims, hosts, services
from mininova.objects import Service


def admin(api: Any, method: str, path: str, body: Any = None, version: str = "2.53"):
    return api(method, path, body, version=version, user="admin")


def service_of(api: Any, host: str) -> Any:
    with api.db.read() as tx:
        return services.search(tx, host=host)[0]


# ---- services


def test_services_are_listed_with_their_state(api: Any) -> None:
    """A service is up while its heartbeats come."""
    with api.db.write() as tx:
        services.report(tx, service_of(api, "host-1"), datetime.now(UTC) - timedelta(hours=1))
    listed = admin(api, "GET", "/os-services?binary=nova-compute").body["services"]
    assert [(it["host"], it["state"], it["zone"]) for it in listed] == [
        ("host-1", "down", "nova"),
        ("host-2", "up", "nova"),
    ]
    assert len(admin(api, "GET", "/os-services?host=ctl-1").body["services"]) == 1


def test_an_id_is_a_number_and_then_a_uuid(api: Any) -> None:
    """The id is a uuid since 2.53."""
    ids = [admin(api, "GET", "/os-services", version=v).body["services"][0]["id"] for v in ("2.52", "2.53")]
    assert [type(id) for id in ids] == [int, str]


def test_a_service_is_disabled_forced_down_and_back(api: Any) -> None:
    """A PUT by its uuid changes it; the answer is the changed service."""
    path = f"/os-services/{service_of(api, 'host-1').uuid}"
    off = admin(api, "PUT", path, {"status": "disabled", "disabled_reason": "why", "forced_down": True}).body["service"]
    assert (off["status"], off["disabled_reason"], off["state"], off["forced_down"]) == (
        "disabled",
        "why",
        "down",
        True,
    )
    on = admin(api, "PUT", path, {"status": "enabled", "forced_down": "false"}).body["service"]
    assert (on["status"], on["disabled_reason"], on["state"], on["forced_down"]) == ("enabled", None, "up", False)


@pytest.mark.parametrize(
    ("id", "body", "status", "words"),
    [
        ("nope", {"status": "enabled"}, 400, "Invalid uuid nope"),
        ("00000000-0000-4000-8000-000000000000", {"status": "enabled"}, 404, "could not be found"),
        (None, {}, 400, "No updates were requested."),
        (None, {"disabled_reason": "x"}, 400, "No updates were requested."),
        (None, {"status": "enabled", "disabled_reason": "x"}, 400, "with status 'enabled' is invalid"),
    ],
)
def test_a_wrong_change_of_a_service_is_refused(api: Any, id: str | None, body: Any, status: int, words: str) -> None:
    """The error says what is wrong."""
    answer = admin(api, "PUT", f"/os-services/{id or service_of(api, 'host-1').uuid}", body)
    assert answer.status == status
    assert words in answer.message


@pytest.mark.parametrize(
    ("word", "more", "shown"),
    [
        ("disable", {}, {"status": "disabled"}),
        ("disable-log-reason", {"disabled_reason": "why"}, {"status": "disabled", "disabled_reason": "why"}),
        ("enable", {}, {"status": "enabled"}),
        ("force-down", {"forced_down": True}, {"forced_down": True}),
    ],
)
def test_before_2_53_a_word_says_what_to_do(api: Any, word: str, more: Any, shown: Any) -> None:
    """A word in the URL says what to do, and the body to which service."""
    body = {"host": "host-1", "binary": "nova-compute", **more}
    answer = admin(api, "PUT", f"/os-services/{word}", body, version="2.11").body["service"]
    assert answer == {"host": "host-1", "binary": "nova-compute", **shown}


@pytest.mark.parametrize(
    ("word", "status", "words"),
    [
        ("jump", 404, "Unknown action"),
        ("disable-log-reason", 400, "Missing disabled reason field"),
        ("force-down", 400, "Missing forced_down field"),
    ],
)
def test_an_unknown_word_is_refused(api: Any, word: str, status: int, words: str) -> None:
    """A body without the service is refused, too."""
    answer = admin(api, "PUT", f"/os-services/{word}", {"host": "host-1", "binary": "nova-compute"}, version="2.11")
    assert (answer.status, answer.message) == (status, words)


@pytest.fixture
def nova_api(api: Any) -> Any:
    """Have an api send a heartbeat, as it does when it runs."""
    with api.db.write() as tx:
        return services.report(tx, Service(binary="nova-api", host="ctl-1", topic="api"), datetime.now(UTC))


@pytest.mark.parametrize("binary", ["nova-conductor", "nova-api"])
@pytest.mark.parametrize("body", [{"status": "disabled"}, {"forced_down": True}, {}])
def test_only_compute_services_are_changed(api: Any, nova_api: Any, binary: str, body: Any) -> None:
    """The error is 400 and names the other service, which stays as it is."""
    with api.db.read() as tx:
        service = services.search(tx, binary=binary)[0]
    answer = admin(api, "PUT", f"/os-services/{service.uuid}", body)
    words = f"Updating a {binary} service is not supported. Only nova-compute services can be updated."
    assert (answer.status, answer.message) == (400, words)
    with api.db.read() as tx:
        assert services.get(tx, service.uuid) == service


@pytest.mark.parametrize("word", ["enable", "disable", "disable-log-reason", "force-down"])
def test_before_2_53_only_compute_services_are_changed_either(api: Any, word: str) -> None:
    """The same holds for each word."""
    body = {"host": "ctl-1", "binary": "nova-conductor", "disabled_reason": "r", "forced_down": True}
    answer = admin(api, "PUT", f"/os-services/{word}", body, version="2.11")
    assert answer.message.startswith("Updating a nova-conductor service is not supported.")


def test_the_api_itself_is_not_listed(api: Any, nova_api: Any) -> None:
    """It is neither among the services nor in a zone: Nova does not show its api either."""
    listed = admin(api, "GET", "/os-services").body["services"]
    assert {it["binary"] for it in listed} == {"nova-compute", "nova-conductor"}
    assert admin(api, "GET", "/os-services?binary=nova-api").body["services"] == []
    zones = admin(api, "GET", "/os-availability-zone/detail").body["availabilityZoneInfo"]
    assert zones[0]["hosts"].keys() == {"ctl-1"}
    assert zones[0]["hosts"]["ctl-1"].keys() == {"nova-conductor"}


def test_an_empty_name_does_not_filter_services(api: Any) -> None:
    """As in Nova, the list then has all services."""
    for query in ("host=", "binary="):
        assert len(admin(api, "GET", f"/os-services?{query}").body["services"]) == 3


def test_a_service_is_deleted_with_its_host(api: Any) -> None:
    """The service cannot be deleted while its host has instances."""
    uuid = api.active()
    path = f"/os-services/{service_of(api, 'host-1').uuid}"
    assert admin(api, "DELETE", path).status == 409
    api.change(uuid, host="host-2")
    assert admin(api, "DELETE", path).status == 204
    assert [it["hypervisor_hostname"] for it in admin(api, "GET", "/os-hypervisors").body["hypervisors"]] == ["host-2"]
    assert (
        admin(api, "DELETE", "/os-services/x", version="2.1").message == "Invalid input received: id must be an integer"
    )


# ---- hypervisors


def test_claimed_room_is_shown_until_2_88(api: Any) -> None:
    """From 2.88 on, the answer describes only the hypervisor itself, and not its use."""
    uuid = api.active()
    with api.db.write() as tx:
        claims.claim(tx, uuid, "host-1", api.instance(uuid).flavor)
    old = admin(api, "GET", "/os-hypervisors/detail", version="2.87").body["hypervisors"][0]
    new = admin(api, "GET", "/os-hypervisors/detail", version="2.88").body["hypervisors"][0]
    assert (old["vcpus_used"], old["memory_mb_used"], old["free_ram_mb"], old["local_gb_used"]) == (1, 512, 15872, 1)
    assert "vcpus" not in new
    assert new["uptime"] is None


def test_cpu_info_was_once_a_string(api: Any) -> None:
    """It is an object since 2.28."""
    shown = [
        admin(api, "GET", "/os-hypervisors/detail", version=v).body["hypervisors"][0]["cpu_info"]
        for v in ("2.27", "2.28")
    ]
    assert shown == ["{}", {}]


def test_a_hypervisor_is_found_by_its_id(api: Any) -> None:
    """The id is a number until 2.52, and a uuid from then on."""
    with api.db.read() as tx:
        node = hosts.search(tx, host="host-2")[0]
    assert admin(api, "GET", f"/os-hypervisors/{node.id}", version="2.52").body["hypervisor"]["id"] == node.id
    assert admin(api, "GET", f"/os-hypervisors/{node.uuid}").body["hypervisor"]["service"]["host"] == "host-2"
    assert (
        admin(api, "GET", "/os-hypervisors/99", version="2.52").message == "Hypervisor with ID '99' could not be found."
    )
    assert admin(api, "GET", "/os-hypervisors/99").message == "Invalid uuid 99"


def test_servers_are_shown_on_demand(api: Any) -> None:
    """The demand is in the URL until 2.52, in the query from then on; empty lists are shown from 2.75 on."""
    uuid = api.active()
    old = admin(api, "GET", "/os-hypervisors/host-1/servers", version="2.52").body["hypervisors"][0]
    new = admin(api, "GET", "/os-hypervisors?hypervisor_hostname_pattern=host&with_servers=1").body["hypervisors"]
    assert [it["uuid"] for it in old["servers"]] == [it["uuid"] for it in new[0]["servers"]] == [uuid]
    assert "servers" not in new[1]
    assert admin(api, "GET", "/os-hypervisors?with_servers=1", version="2.75").body["hypervisors"][1]["servers"] == []


def test_a_pattern_that_matches_nothing_is_404(api: Any) -> None:
    """The error quotes the pattern."""
    for path, version in (
        ("/os-hypervisors/x/search", "2.1"),
        ("/os-hypervisors?hypervisor_hostname_pattern=x", "2.53"),
    ):
        assert admin(api, "GET", path, version=version).message == "No hypervisor matching 'x' could be found."


def test_hypervisors_come_in_pages_from_2_33_on(api: Any) -> None:
    """Each page has a link to the next one."""
    page = admin(api, "GET", "/os-hypervisors?limit=1").body
    (link,) = page["hypervisors_links"]
    rest = admin(api, "GET", link["href"].removeprefix("http://localhost/v2.1")).body["hypervisors"]
    assert [it["hypervisor_hostname"] for it in (*page["hypervisors"], *rest)] == ["host-1", "host-2"]


def test_a_host_says_how_long_it_has_been_running(api: Any) -> None:
    """It is asked itself; one that does not know is 501, one that does not answer 400; the URL ends with 2.87."""
    with api.db.read() as tx:
        node = hosts.search(tx)[0]
    url = f"/os-hypervisors/{node.id}/uptime"
    assert admin(api, "GET", url, version="2.1").body["hypervisor"]["uptime"] == "up 3 days"
    for broken, status in ((errors.NotSupported(), 501), (rpc.MessagingTimeout("no answer"), 400)):
        api.compute.broken = broken
        assert admin(api, "GET", url, version="2.1").status == status
    assert admin(api, "GET", "/os-hypervisors/99/uptime", version="2.1").status == 404
    assert admin(api, "GET", f"/os-hypervisors/{node.uuid}/uptime", version="2.88").status == 404


def test_statistics_add_up_until_2_87(api: Any) -> None:
    """They are sums over all hosts that are not disabled."""
    sums = admin(api, "GET", "/os-hypervisors/statistics", version="2.87").body["hypervisor_statistics"]
    assert (sums["count"], sums["vcpus"], sums["memory_mb"]) == (2, 16, 32768)
    assert admin(api, "GET", "/os-hypervisors/statistics", version="2.88").status == 404


def test_the_inside_of_the_cloud_is_for_administrators(api: Any) -> None:
    """Other users get 403."""
    for path in ("/os-services", "/os-hypervisors", "/os-hypervisors/detail", "/os-availability-zone/detail"):
        assert api("GET", path).status == 403


# ---- zones


def test_users_choose_among_the_zones_of_compute_hosts(api: Any) -> None:
    """A zone is available while one of its hosts is enabled."""
    zone = {"zoneName": "nova", "zoneState": {"available": True}, "hosts": None}
    assert api("GET", "/os-availability-zone").body == {"availabilityZoneInfo": [zone]}
    for host in ("host-1", "host-2"):
        with api.db.write() as tx:
            services.update(tx, services.search(tx, host=host)[0].uuid, disabled=True)
    assert not api("GET", "/os-availability-zone").body["availabilityZoneInfo"][0]["zoneState"]["available"]


def test_administrators_see_the_hosts_of_a_zone(api: Any) -> None:
    """Hosts and services, the internal zone included."""
    zones = admin(api, "GET", "/os-availability-zone/detail").body["availabilityZoneInfo"]
    assert [zone["zoneName"] for zone in zones] == ["internal", "nova"]
    service = zones[1]["hosts"]["host-1"]["nova-compute"]
    assert (service["available"], service["active"]) == (True, True)


# ---- hosts, until 2.42


def old_hosts(api: Any, query: str = "", user: str = "admin") -> Any:
    return api("GET", f"/os-hosts{query}", user=user, version="2.42")


def test_hosts_are_listed_by_zone(api: Any) -> None:
    """Each service that is not disabled names its host; a zone leaves out the others."""
    assert [it["host_name"] for it in old_hosts(api, "?zone=nova").body["hosts"]] == ["host-1", "host-2"]
    assert old_hosts(api, "?zone=west").body == {"hosts": []}
    assert old_hosts(api, user="member").status == 403


def test_a_host_shows_who_uses_it(api: Any) -> None:
    """Its room, what is claimed of it, and what the instances of each project may use."""
    uuid = api.active()
    shown = {it["resource"]["project"]: it["resource"] for it in old_hosts(api, "/host-1").body["host"]}
    mine = api.instance(uuid).project_id
    assert list(shown) == ["(total)", "(used_now)", "(used_max)", mine]
    assert [shown["(total)"][name] for name in ("cpu", "memory_mb", "disk_gb")] == [8, 16384, 200]
    assert [shown[mine][name] for name in ("cpu", "memory_mb", "disk_gb")] == [1, 512, 1]
    assert old_hosts(api, "/host-9").status == 404


def test_a_host_is_disabled_and_enabled(api: Any) -> None:
    """It is what os-services shows, too; a host that is not there is 404, and maintenance is no business of ours."""

    def put(host: str, body: Any) -> Any:
        return api("PUT", f"/os-hosts/{host}", body, user="admin", version="2.42")

    for asked, said in (("disable", "disabled"), ("Enable", "enabled")):
        assert put("host-1", {"status": asked}).body == {"host": "host-1", "status": said}
        services = api("GET", "/os-services?host=host-1", user="admin").body["services"]
        assert [it["status"] for it in services] == [said]
    assert put("host-9", {"status": "enable"}).status == 404
    assert put("host-1", {"maintenance_mode": "enable"}).status == 501
    assert put("host-1", {}).status == 400
    assert api("GET", "/os-hosts", user="admin", version="2.43").status == 404
