"""What a request costs a database does not grow with the rows that are there, or that it writes or answers with."""

import re
from typing import Any
from uuid import uuid4

import pytest

from mininova.api.routes import ROUTES
from mininova.db import hosts, services
from mininova.objects import ComputeNode, Service
from mininova.wsgi.microversion import Microversion
from tests.fixtures.api_harness import IMAGE, PROJECT, WHEN, Api
from tests.fixtures.statements import counted

VERSIONS = ("2.1", "2.35", "2.53", "2.75", "2.96")
# Every list in each of these versions that has it; what is not in the compute database is not ours to count.
LISTS = [
    (route.template, version)
    for route in ROUTES
    for version in VERSIONS
    if route.method == "GET" and "<" not in route.template and route.template != "/os-baremetal-nodes"
    and route.serves(Microversion(*map(int, version.split("."))))
]  # fmt: skip
QUERIES = {
    "/servers": "?all_tenants=1&tags=a", "/servers/detail": "?all_tenants=1&tags=a",
    "/os-server-groups": "?all_projects=1", "/os-simple-tenant-usage": "?detailed=1",
    "/os-hypervisors": "?with_servers=1", "/os-hypervisors/detail": "?with_servers=1",
}  # fmt: skip


@pytest.fixture
def more(api: Api):
    """Add some of everything."""

    def add(first: int, count: int) -> None:
        names = [f"more-{number}" for number in range(first, first + count)]
        with api.db.write() as tx:
            for name in names:
                room = {"vcpus": 8, "memory_mb": 16384, "local_gb": 200}
                services.report(tx, Service(binary="nova-compute", host=name, topic="compute"), WHEN)
                hosts.report(tx, ComputeNode(host=name, hypervisor_hostname=name, **room))
        for name in names:
            flavor = {"name": name, "ram": 64, "vcpus": 1, "disk": 1, "id": name}
            group = api("POST", "/os-server-groups", {"server_group": {"name": name, "policies": ["anti-affinity"]}})
            aggregate = api("POST", "/os-aggregates", {"aggregate": {"name": name}}, user="admin").body["aggregate"]
            added = {"add_host": {"host": name}}
            api("POST", f"/os-aggregates/{aggregate['id']}/action", added, user="admin")
            api("POST", "/flavors", {"flavor": flavor}, user="admin")
            api("POST", "/os-keypairs", {"keypair": {"name": name}})
            said = {"security_group": {"name": name, "description": ""}}
            api("POST", "/os-security-groups", said, version="2.35", user="admin")
            uuid = api.active(name, hints={"group": group.body["server_group"]["id"]}, tags=["a"], version="2.52")
            api("POST", f"/servers/{uuid}/action", {"createImage": {"name": name}})

    return add


def costs(api: Api, path: str, version: str) -> int:
    """Count the statements of a request that is answered."""
    with counted(api.db) as statements:
        answer = api("GET", path + QUERIES.get(path, ""), version=version, user="admin")
    assert answer.status == 200, answer.body
    return len(statements)


def test_a_list_costs_the_same_for_any_rows(api, more):
    """Of every list that there is, for each version that shows it otherwise."""
    more(0, 2)
    before = {each: costs(api, *each) for each in LISTS}
    more(2, 4)
    after = {each: costs(api, *each) for each in LISTS}
    assert {each: (before[each], after[each]) for each in LISTS if before[each] != after[each]} == {}


# ---- what shows one thing, and what writes

NEW = {"name": "new", "flavorRef": "1", "imageRef": IMAGE, "networks": "auto", "key_name": "more-0"}
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK0wmN/Cr3JXqmLW7u+g9pTh+wyqDHpSQEIQczXkVx9q x"
# What users do in a project of their own; an administrator does the rest.
USERS_DO = {"/servers", "/os-server-groups", "removeSecurityGroup"}
ONE_OF, SERVER, FLAVOR = f"/os-quota-sets/{PROJECT}", "/servers/SERVER", "/flavors/FLAVOR"
AGGREGATE, DO = "/os-aggregates/AGGREGATE", "/os-aggregates/AGGREGATE/action"


def items(names: list[str]) -> dict[str, str]:
    """Give metadata, or extra specs, with a key for each name."""
    return dict.fromkeys(names, "1")


# Microversion, method, path and body.  What is in capitals is made for the request, with a part for each name of
# ``more``; a body that is a function gets these names.
REQUESTS: list[tuple[str, str, str, Any]] = [
    ("2.37", "POST", "/servers", lambda names: {"server": NEW | {"min_count": len(names)}}),
    ("2.37", "POST", "/servers", {"server": NEW, "os:scheduler_hints": {"group": "GROUP"}}),
    ("2.96", "GET", SERVER, None),
    ("2.96", "PUT", SERVER, {"server": {"name": "other"}}),
    ("2.96", "DELETE", SERVER, None),
    ("2.96", "POST", SERVER, {"os-stop": None}),
    ("2.96", "POST", SERVER, {"reboot": {"type": "HARD"}}),
    ("2.96", "POST", SERVER, {"rescue": {}}),
    ("2.96", "POST", SERVER, lambda names: {"rebuild": {"imageRef": IMAGE, "metadata": items(names)}}),
    ("2.96", "POST", SERVER, {"shelve": None}),
    ("2.96", "POST", SERVER, lambda names: {"createImage": {"name": "image", "metadata": items(names)}}),
    ("2.96", "POST", SERVER, {"createBackup": {"name": "image", "backup_type": "daily", "rotation": 1}}),
    ("2.96", "POST", SERVER, {"resize": {"flavorRef": "2"}}),
    ("2.96", "POST", SERVER, {"migrate": {"host": "more-1"}}),
    ("2.96", "POST", SERVER, {"os-migrateLive": {"host": "more-1", "block_migration": "auto"}}),
    ("2.96", "POST", SERVER, {"lock": {}}),
    ("2.96", "POST", SERVER, {"os-resetState": {"state": "error"}}),
    ("2.96", "POST", SERVER, {"removeSecurityGroup": {"name": "default"}}),
    ("2.96", "POST", SERVER, {"forceDelete": None}),
    ("2.96", "POST", f"{SERVER}/metadata", lambda names: {"metadata": items(names)}),
    ("2.96", "PUT", f"{SERVER}/metadata", lambda names: {"metadata": items(names)}),
    ("2.96", "PUT", f"{SERVER}/tags", lambda names: {"tags": [f"other-{name}" for name in names]}),
    ("2.96", "DELETE", f"{SERVER}/tags", None),
    ("2.96", "GET", f"{SERVER}/os-instance-actions", None),
    ("2.96", "GET", f"{SERVER}/migrations", None),
    ("2.96", "GET", f"{SERVER}/os-security-groups", None),
    ("2.96", "GET", f"{SERVER}/ips", None),
    ("2.96", "GET", f"{SERVER}/os-interface", None),
    ("2.96", "POST", f"{SERVER}/os-interface", {}),
    ("2.96", "POST", SERVER, {"changePassword": {"adminPass": "new"}}),
    ("2.96", "POST", "/flavors", {"flavor": {"name": "UNIQUE", "ram": 64, "vcpus": 1, "disk": 1}}),
    ("2.96", "GET", FLAVOR, None),
    ("2.96", "DELETE", FLAVOR, None),
    ("2.96", "GET", f"{FLAVOR}/os-flavor-access", None),
    ("2.96", "POST", f"{FLAVOR}/action", {"addTenantAccess": {"tenant": PROJECT}}),
    ("2.96", "POST", f"{FLAVOR}/os-extra_specs", lambda names: {"extra_specs": items(names)}),
    ("2.91", "POST", "/os-keypairs", {"keypair": {"name": "UNIQUE", "public_key": KEY}}),
    ("2.96", "DELETE", "/os-keypairs/KEYPAIR", None),
    ("2.96", "POST", "/os-server-groups", {"server_group": {"name": "new", "policy": "affinity"}}),
    ("2.96", "GET", "/os-server-groups/GROUP", None),
    ("2.96", "DELETE", "/os-server-groups/GROUP", None),
    ("2.96", "POST", "/os-aggregates", {"aggregate": {"name": "UNIQUE", "availability_zone": "UNIQUE"}}),
    ("2.96", "GET", AGGREGATE, None),
    ("2.96", "PUT", AGGREGATE, {"aggregate": {"name": "UNIQUE"}}),
    ("2.96", "PUT", AGGREGATE, {"aggregate": {"availability_zone": "UNIQUE"}}),
    ("2.96", "POST", DO, {"add_host": {"host": "host-1"}}),
    ("2.96", "POST", DO, {"remove_host": {"host": "MEMBER"}}),
    ("2.96", "POST", DO, lambda names: {"set_metadata": {"metadata": items(names)}}),
    ("2.96", "POST", f"{AGGREGATE}/images", {"cache": [{"id": IMAGE}]}),
    ("2.35", "POST", "/os-security-groups", {"security_group": {"name": "UNIQUE", "description": ""}}),
    ("2.96", "POST", "/os-server-external-events",
     lambda names: {"events": [{"name": "network-changed", "server_uuid": "SERVER"} for _ in names]}),
    ("2.96", "PUT", "/os-services/SERVICE", {"status": "disabled"}),
    ("2.96", "DELETE", "/os-services/SERVICE", None),
    ("2.42", "GET", "/os-hosts/more-0", None),
    ("2.52", "GET", "/os-hypervisors/more-0/servers", None),
    ("2.52", "GET", "/os-hypervisors/more/search", None),
    ("2.96", "GET", f"/os-simple-tenant-usage/{PROJECT}", None),
    ("2.96", "PUT", ONE_OF, {"quota_set": {"cores": 500}}),
    ("2.96", "PUT", f"{ONE_OF}?user_id=member", {"quota_set": {"cores": 400, "instances": -1}}),
    ("2.96", "GET", f"{ONE_OF}/detail", None),
    ("2.96", "DELETE", ONE_OF, None),
    ("2.96", "PUT", "/os-quota-class-sets/default", {"quota_class_set": {"cores": 500}}),
]  # fmt: skip


class Things:
    """What requests name: each is made when it is named, and has a part for each of some names."""

    def __init__(self, api: Api, names: list[str]) -> None:
        self._api, self._names = api, names

    def name(self, text: str) -> str:
        """Put the id of a new thing in the place of each word in capitals."""
        return re.sub(r"[A-Z]{5,}", lambda word: getattr(self, f"make_{word[0].lower()}")(), text)

    def fill(self, body: Any) -> Any:
        """Put ids into a body."""
        if isinstance(body, dict):
            return {key: self.fill(said) for key, said in body.items()}
        if isinstance(body, list):
            return [self.fill(said) for said in body]
        return self.name(body) if isinstance(body, str) and body.isupper() else body

    def make_unique(self) -> str:
        return f"new-{uuid4()}"

    def make_server(self) -> str:
        hints = {"group": self._group("soft-affinity")}
        said = {"metadata": dict.fromkeys(self._names, "1"), "tags": self._names, "hints": hints}
        uuid = self._api.active("host-1", version="2.52", **said)
        for _ in self._names:  # so many actions
            self._do(f"/servers/{uuid}/action", {"lock": None})
            self._do(f"/servers/{uuid}/action", {"unlock": None})
        return uuid

    def make_group(self) -> str:
        uuid = self._group("anti-affinity")
        for name in self._names:
            self._api.active(name, hints={"group": uuid})
        return uuid

    def make_flavor(self) -> str:
        said = {"name": self.make_unique(), "ram": 64, "vcpus": 1, "disk": 1, "os-flavor-access:is_public": False}
        flavor = self._do("/flavors", {"flavor": said})["flavor"]["id"]
        self._do(f"/flavors/{flavor}/os-extra_specs", {"extra_specs": dict.fromkeys(self._names, "0")})
        for name in self._names:
            self._api.projects.there.add(name)
            self._do(f"/flavors/{flavor}/action", {"addTenantAccess": {"tenant": name}})
        return str(flavor)

    def make_aggregate(self) -> str:
        made = self._do("/os-aggregates", {"aggregate": {"name": self.make_unique()}})["aggregate"]["id"]
        self._do(f"/os-aggregates/{made}/action", {"set_metadata": {"metadata": dict.fromkeys(self._names, "0")}})
        self._hosts = [self._host().host for _ in self._names]
        for host in self._hosts:
            self._do(f"/os-aggregates/{made}/action", {"add_host": {"host": host}})
        return str(made)

    def make_member(self) -> str:
        return self._hosts[0]

    def make_keypair(self) -> str:
        keypair = {"name": self.make_unique(), "public_key": KEY, "user_id": "admin"}
        return str(self._do("/os-keypairs", {"keypair": keypair}, "2.90")["keypair"]["name"])

    def make_service(self) -> str:
        return self._host().uuid

    def _host(self) -> Service:
        name, room = self.make_unique(), {"vcpus": 8, "memory_mb": 16384, "local_gb": 200}
        with self._api.db.write() as tx:
            service = services.report(tx, Service(binary="nova-compute", host=name, topic="compute"), WHEN)
            hosts.report(tx, ComputeNode(host=name, hypervisor_hostname=name, **room))
        return service

    def _group(self, policy: str) -> str:
        group = {"name": self.make_unique(), "policy": policy}
        made = self._api("POST", "/os-server-groups", {"server_group": group}, version="2.64")
        return str(made.body["server_group"]["id"])

    def _do(self, path: str, body: Any, version: str = "2.96") -> Any:
        answer = self._api("POST", path, body, user="admin", version=version)
        assert answer.status < 300, answer.body
        return answer.body


def cost(api: Api, things: Things, names: list[str], request: tuple[str, str, str, Any]) -> int:
    """Count the statements of a request of REQUESTS."""
    version, method, path, body = request
    path = path + "/action" if path == SERVER and method == "POST" else path
    body = body(names) if callable(body) else body
    user = "member" if USERS_DO & {path, *(body or ())} else "admin"
    path, body = things.name(path), things.fill(body)
    with counted(api.db) as statements:
        answer = api(method, path, body, version=version, user=user)
    assert answer.status < 300, (request, answer.body)
    return len(statements)


def test_a_request_costs_the_same_for_any_rows(api, more):
    """Whether it shows one thing, makes some or changes one, it asks for all rows of a kind together."""
    api("PUT", "/os-quota-class-sets/default", {"quota_class_set": {"cores": 500}}, user="admin")  # makes the row
    found: list[list[int]] = []
    for first, count in (0, 2), (2, 2):
        more(first, count)
        names = [f"more-{number}" for number in range(first + count)]
        found.append([cost(api, Things(api, names), names, each) for each in REQUESTS])
    assert [(*each, was, now) for each, was, now in zip(REQUESTS, *found, strict=True) if now > was] == []
