"""The requests that are played on a real Nova and on our cloud: every operation in every state, wrong bodies, stories.

Names in bodies and paths that begin with ``$`` stand for what has another id in each cloud: ``$server``, ``$image``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

#: Token and project of each user: an administrator, a member of a project, a stranger.
USERS = {
    "admin": ("admin", "admin+manager+member+reader"),
    "demo": ("demo", "member+reader"),
    "stranger": ("other", "member+reader"),
}


@dataclass(frozen=True)
class Asked:
    """One request.

    :param harmless: whether it leaves a server in the state in which it was
    :param keep: what later requests of its story name with a ``$``: name → the keys that lead to it in the answer
    """

    method: str
    path: str
    body: Any = None
    user: str = "demo"
    version: str = "2.96"
    keep: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    harmless: bool = False


def act(name: str, body: Any = None, **more: Any) -> Asked:
    """Ask for an action of a server."""
    return Asked("POST", "/servers/$server/action", {name: body}, **more)


def admin(name: str, body: Any = None, **more: Any) -> Asked:
    """Ask for an action of a server, as an administrator."""
    return act(name, body, user="admin", **more)


#: What servers are made of: there is room for many of the small flavor, and for none of the huge one.
FLAVORS = {"small": (1, 64, 1), "big": (2, 128, 2), "thin": (1, 64, 0), "huge": (1, 64, 1_000_000)}
WANTED = {"name": "one", "imageRef": "$image", "flavorRef": "small", "networks": "none"}


def boot(**more: Any) -> Asked:
    """Ask for a server."""
    return Asked("POST", "/servers", {"server": {**WANTED, **more}})


# ---- every operation in every state

OPERATIONS = {
    "stop": act("os-stop"),
    "start": act("os-start"),
    "reboot": act("reboot", {"type": "SOFT"}),
    "hard reboot": act("reboot", {"type": "HARD"}),
    "pause": act("pause"),
    "unpause": act("unpause"),
    "suspend": act("suspend"),
    "resume": act("resume"),
    "rescue": act("rescue", {"adminPass": "new"}),
    "unrescue": act("unrescue"),
    "rebuild": act("rebuild", {"imageRef": "$image", "metadata": {"made": "anew"}}),
    "change password": act("changePassword", {"adminPass": "new"}),
    "create image": act("createImage", {"name": "of one"}),
    "create backup": act("createBackup", {"name": "of one", "backup_type": "daily", "rotation": 1}),
    "crash dump": act("trigger_crash_dump", harmless=True),
    "shelve": act("shelve"),
    "offload": admin("shelveOffload"),
    "unshelve": act("unshelve"),
    "unshelve to a host": admin("unshelve", {"host": "host2"}),
    "resize": act("resize", {"flavorRef": "big"}),
    "resize to the same": act("resize", {"flavorRef": "small"}),
    "migrate": admin("migrate"),
    "migrate to its host": admin("migrate", {"host": "$host"}),
    "migrate to nowhere": admin("migrate", {"host": "no-such-host"}),
    "confirm": act("confirmResize"),
    "revert": act("revertResize"),
    "live migrate": admin("os-migrateLive", {"host": None, "block_migration": "auto"}),
    "live migrate to its host": admin("os-migrateLive", {"host": "$host", "block_migration": "auto"}),
    "live migrate to nowhere": admin("os-migrateLive", {"host": "no-such-host", "block_migration": "auto"}),
    "evacuate": admin("evacuate", {}),
    "evacuate to nowhere": admin("evacuate", {"host": "no-such-host"}),
    "lock": act("lock"),
    "unlock": act("unlock"),
    "reset to error": admin("os-resetState", {"state": "error"}),
    "reset to active": admin("os-resetState", {"state": "active"}),
    "inject network info": admin("injectNetworkInfo", harmless=True),
    "console output": act("os-getConsoleOutput", {"length": 1}, harmless=True),
    "diagnostics": Asked("GET", "/servers/$server/diagnostics", user="admin", harmless=True),
    "topology": Asked("GET", "/servers/$server/topology", harmless=True),
    "rename": Asked("PUT", "/servers/$server", {"server": {"name": "renamed"}}, harmless=True),
    "set metadata": Asked("POST", "/servers/$server/metadata", {"metadata": {"a": "b"}}, harmless=True),
    "delete metadata": Asked("DELETE", "/servers/$server/metadata/no", harmless=True),
    "set tags": Asked("PUT", "/servers/$server/tags", {"tags": ["a"]}, harmless=True),
    "set tag": Asked("PUT", "/servers/$server/tags/a", harmless=True),
    "server password": Asked("DELETE", "/servers/$server/os-server-password", harmless=True),
    "abort migration": Asked("DELETE", "/servers/$server/migrations/1", user="admin"),
    "force migration": Asked("POST", "/servers/$server/migrations/1/action", {"force_complete": None}, user="admin"),
    "restore": act("restore"),
    "force delete": act("forceDelete"),
    "delete": Asked("DELETE", "/servers/$server"),
}

#: A state: how its server is booted, and the operations that bring it there.
STATES: dict[str, tuple[Asked, tuple[str, ...]]] = {
    "active": (boot(), ()),
    "stopped": (boot(), ("stop",)),
    "paused": (boot(), ("pause",)),
    "suspended": (boot(), ("suspend",)),
    "rescued": (boot(), ("rescue",)),
    "shelved": (boot(), ("shelve",)),
    "offloaded": (boot(), ("shelve", "offload")),
    "resized": (boot(), ("resize",)),
    "in error": (boot(), ("reset to error",)),
    "nowhere": (boot(flavorRef="huge"), ()),
    "deleted": (boot(), ("delete",)),
    "locked": (boot(), ("lock",)),
}

#: Something that is being done to a server while more is asked: the state before, the operation, and its task_state.
HELD: dict[str, tuple[str, str, str]] = {
    "stopping": ("active", "stop", "powering-off"),
    "rebooting hard": ("active", "hard reboot", "rebooting_hard"),
    "resuming": ("suspended", "resume", "resuming"),
    "making an image": ("active", "create image", "image_snapshot_pending"),
    "unshelving": ("offloaded", "unshelve", "unshelving"),
    "resizing": ("active", "resize", "resize_prep"),
    "migrating": ("active", "live migrate", "migrating"),
}

# ---- wrong requests

#: Bodies that no action takes, or only one that takes anything.
WRONG: dict[str, Any] = {
    "nothing": None,
    "an object": {},
    "an unknown key": {"unknown": 1},
    "a string": "x",
    "a list": [],
}


def wrong() -> Iterator[tuple[str, Asked]]:
    """Give wrong requests for each action, by name: bodies, no such server, a stranger, a member."""
    for name, asked in OPERATIONS.items():
        if asked.path.endswith("$server/action"):
            action = next(iter(asked.body))
            yield from ((f"{name}: {kind}", replace(asked, body={action: body})) for kind, body in WRONG.items())
            yield f"{name}: two actions", replace(asked, body={action: asked.body[action], "os-stop": None})
            yield f"{name}: at 2.1", replace(asked, version="2.1")
            yield f"{name}: at 2.104", replace(asked, version="2.104")
        yield f"{name}: no such server", replace(asked, path=asked.path.replace("$server", "$nobody"))
        yield f"{name}: no uuid", replace(asked, path=asked.path.replace("$server", "one"))
        for user in ("stranger", "demo"):
            if user != asked.user:
                yield f"{name}: by {user}", replace(asked, user=user)


#: Bodies of POST /servers.
WRONG_BOOTS: dict[str, Any] = {
    "no name": {"name": None},
    "an empty name": {"name": ""},
    "a long name": {"name": "x" * 256},
    "spaces around its name": {"name": " one "},
    "no image": {"imageRef": ""},
    "an image that is none": {"imageRef": "cirros"},
    "an image that is not there": {"imageRef": "$nobody"},
    "a flavor that is not there": {"flavorRef": "none"},
    "a flavor's number": {"flavorRef": 99},
    "no networks": {"networks": None},
    "unknown networks": {"networks": "some"},
    "more than there may be": {"min_count": 3, "max_count": 2},
    "none": {"min_count": 0},
    "a count that is none": {"max_count": "many"},
    "a zone that is not there": {"availability_zone": "mars"},
    "a host that is not there": {"host": "mars"},
    "metadata that is none": {"metadata": {"a": 1}},
    "a long key of metadata": {"metadata": {"k" * 256: "v"}},
    "a key pair that is not there": {"key_name": "none"},
    "user data that is not base64": {"user_data": "?"},
    "files": {"personality": [{"path": "/a", "contents": ""}]},
    "an unknown key": {"unknown": 1},
    "a description that is none": {"description": 1},
    "a long description": {"description": "x" * 256},
    "tags that are none": {"tags": ["a,b"]},
    "a tag twice": {"tags": ["a", "a"]},
    "a long tag": {"tags": ["x" * 61]},
    "a hostname that is none": {"hostname": "a_b"},
    "certificates that are none": {"trusted_image_certificates": [1]},
    "a config drive that is none": {"config_drive": "maybe"},
    "a disk config that is none": {"OS-DCF:diskConfig": "SOME"},
    "an address that is none": {"accessIPv4": "1.2.3"},
    "a flavor without a disk": {"flavorRef": "thin"},
}
WRONG_HINTS: dict[str, Any] = {
    "a group that is none": {"group": "one"},
    "a group that is not there": {"group": "$nobody"},
    "a same_host that is none": {"same_host": "one"},
    "an unknown hint": {"unknown": "x"},
    "an address range that is none": {"build_near_host_ip": "x"},
}


def wrong_boots() -> Iterator[tuple[str, Asked]]:
    """Give requests for servers, most of them wrong, by name."""
    for name, more in WRONG_BOOTS.items():
        yield f"boot: {name}", replace(boot(**more), user="admin" if "host" in more else "demo")
    for name, hints in WRONG_HINTS.items():
        yield f"boot: {name}", replace(boot(), body={**boot().body, "os:scheduler_hints": hints})
    yield "boot: no server", Asked("POST", "/servers", {})
    yield "boot: a list", Asked("POST", "/servers", {"server": []})
    yield "boot: no body", Asked("POST", "/servers")
    yield "boot: networks before 2.37", replace(boot(), version="2.36")
    yield "boot: a microversion that is none", replace(boot(), version="two")
    yield "boot: a microversion of the future", replace(boot(), version="2.999")


# ---- stories: requests one after the other, whose bodies are compared, too


_EVENT = {"name": "network-changed", "server_uuid": "$nobody"}
_FLAVOR = {"name": "f", "id": "f", "ram": 64, "vcpus": 1, "disk": 1}
STORIES: dict[str, tuple[Asked, ...]] = {
    "flavors": (
        Asked("POST", "/flavors", {"flavor": _FLAVOR}, user="admin"),
        Asked("POST", "/flavors", {"flavor": _FLAVOR}, user="admin"),
        Asked("POST", "/flavors", {"flavor": {**_FLAVOR, "id": "g"}}, user="admin"),
        Asked("POST", "/flavors", {"flavor": {**_FLAVOR, "ram": 0}}, user="admin"),
        Asked("POST", "/flavors", {"flavor": {**_FLAVOR, "vcpus": -1}}, user="admin"),
        Asked("POST", "/flavors", {"flavor": {**_FLAVOR, "id": "a/b"}}, user="admin"),
        Asked("POST", "/flavors", {"flavor": _FLAVOR}),
        Asked("GET", "/flavors/f"),
        Asked("GET", "/flavors/none"),
        Asked("PUT", "/flavors/f", {"flavor": {"description": "d"}}, user="admin"),
        Asked("PUT", "/flavors/none", {"flavor": {"description": "d"}}, user="admin"),
        Asked("POST", "/flavors/f/os-extra_specs", {"extra_specs": {"hw:cpu_policy": "dedicated"}}, user="admin"),
        Asked("POST", "/flavors/f/os-extra_specs", {"extra_specs": {"hw:cpu_policy": "none"}}, user="admin"),
        Asked("POST", "/flavors/f/os-extra_specs", {"extra_specs": {"a b?": "x"}}, user="admin"),
        Asked("GET", "/flavors/f/os-extra_specs/hw:cpu_policy"),
        Asked("GET", "/flavors/f/os-extra_specs/none"),
        Asked("PUT", "/flavors/f/os-extra_specs/a", {"b": "c"}, user="admin"),
        Asked("DELETE", "/flavors/f/os-extra_specs/none", user="admin"),
        Asked("GET", "/flavors/f/os-flavor-access", user="admin"),
        Asked("POST", "/flavors/f/action", {"addTenantAccess": {"tenant": "$demo"}}, user="admin"),
        Asked("POST", "/flavors/f/action", {"removeTenantAccess": {"tenant": "$demo"}}, user="admin"),
        Asked("GET", "/flavors?sort_key=none"),
        Asked("GET", "/flavors?limit=-1"),
        Asked("GET", "/flavors?marker=none"),
        Asked("GET", "/flavors?is_public=maybe", user="admin"),
        Asked("GET", "/flavors?minRam=x"),
        Asked("DELETE", "/flavors/f"),
        Asked("DELETE", "/flavors/f", user="admin"),
        Asked("DELETE", "/flavors/f", user="admin"),
    ),
    "key pairs": (
        Asked("POST", "/os-keypairs", {"keypair": {"name": "k"}}),
        Asked("POST", "/os-keypairs", {"keypair": {"name": "k", "public_key": "none"}}),
        Asked("POST", "/os-keypairs", {"keypair": {"name": "k", "public_key": "none", "type": "rsa"}}),
        Asked("POST", "/os-keypairs", {"keypair": {"name": ""}}),
        Asked("POST", "/os-keypairs", {"keypair": {"name": "k!"}}, version="2.91"),
        Asked("GET", "/os-keypairs"),
        Asked("GET", "/os-keypairs/none"),
        Asked("DELETE", "/os-keypairs/none"),
        Asked("GET", "/os-keypairs?user_id=someone"),
        Asked("GET", "/os-keypairs?marker=none"),
    ),
    "server groups": (
        Asked("POST", "/os-server-groups", {"server_group": {"name": "g", "policy": "affinity"}},
              keep={"group": ("server_group", "id")}),
        Asked("POST", "/os-server-groups", {"server_group": {"name": "g", "policy": "none"}}),
        Asked("POST", "/os-server-groups", {"server_group": {"name": "g", "policies": ["affinity"]}}),
        Asked("POST", "/os-server-groups", {"server_group": {"name": "g", "policies": []}}, version="2.1"),
        Asked("POST", "/os-server-groups", {"server_group": {"name": "g", "policies": ["affinity", "anti-affinity"]}},
              version="2.1"),
        Asked("POST", "/os-server-groups",
              {"server_group": {"name": "g", "policy": "affinity", "rules": {"max_server_per_host": 1}}}),
        Asked("POST", "/os-server-groups",
              {"server_group": {"name": "g", "policy": "anti-affinity", "rules": {"max_server_per_host": 0}}}),
        Asked("GET", "/os-server-groups/$group"),
        Asked("GET", "/os-server-groups/$group", user="stranger"),
        Asked("GET", "/os-server-groups/none"),
        Asked("GET", "/os-server-groups"),
        Asked("GET", "/os-server-groups?all_projects=true"),
        Asked("GET", "/os-server-groups?limit=x"),
        Asked("DELETE", "/os-server-groups/$group"),
        Asked("DELETE", "/os-server-groups/$group"),
    ),
    "aggregates": (
        Asked("POST", "/os-aggregates", {"aggregate": {"name": "a", "availability_zone": "z"}}, user="admin",
              keep={"aggregate": ("aggregate", "id")}),
        Asked("POST", "/os-aggregates", {"aggregate": {"name": "a"}}, user="admin"),
        Asked("POST", "/os-aggregates", {"aggregate": {"name": ""}}, user="admin"),
        Asked("POST", "/os-aggregates", {"aggregate": {"name": "b", "availability_zone": "a:b"}}, user="admin"),
        Asked("POST", "/os-aggregates", {"aggregate": {"name": "b"}}),
        Asked("GET", "/os-aggregates/$aggregate", user="admin"),
        Asked("GET", "/os-aggregates/99", user="admin"),
        Asked("GET", "/os-aggregates/x", user="admin"),
        Asked("PUT", "/os-aggregates/$aggregate", {"aggregate": {"name": "c"}}, user="admin"),
        Asked("PUT", "/os-aggregates/$aggregate", {"aggregate": {}}, user="admin"),
        Asked("PUT", "/os-aggregates/99", {"aggregate": {"name": "c"}}, user="admin"),
        Asked("POST", "/os-aggregates/$aggregate/action", {"add_host": {"host": "host1"}}, user="admin"),
        Asked("POST", "/os-aggregates/$aggregate/action", {"add_host": {"host": "host1"}}, user="admin"),
        Asked("POST", "/os-aggregates/$aggregate/action", {"add_host": {"host": "none"}}, user="admin"),
        Asked("POST", "/os-aggregates/99/action", {"add_host": {"host": "host1"}}, user="admin"),
        Asked("POST", "/os-aggregates/$aggregate/action", {"set_metadata": {"metadata": {"a": "b"}}}, user="admin"),
        Asked("POST", "/os-aggregates/$aggregate/action", {"set_metadata": {"metadata": {"a": 1}}}, user="admin"),
        Asked("POST", "/os-aggregates/$aggregate/action", {"none": {}}, user="admin"),
        Asked("GET", "/os-aggregates", user="admin"),
        Asked("GET", "/os-availability-zone"),
        Asked("POST", "/os-aggregates/$aggregate/images", {"cache": [{"id": "$image"}]}, user="admin"),
        Asked("POST", "/os-aggregates/$aggregate/images", {"cache": []}, user="admin"),
        Asked("POST", "/os-aggregates/$aggregate/images", {"cache": [{"id": "x"}]}, user="admin"),
        Asked("POST", "/os-aggregates/$aggregate/images", {"cache": [{"id": "$image"}] * 2}, user="admin"),
        Asked("POST", "/os-aggregates/99/images", {"cache": [{"id": "$image"}]}, user="admin"),
        Asked("POST", "/os-aggregates/$aggregate/images", {"cache": [{"id": "$image"}]}, user="admin", version="2.80"),
        Asked("POST", "/os-aggregates/$aggregate/images", {"cache": [{"id": "$image"}]}),
        Asked("DELETE", "/os-aggregates/$aggregate", user="admin"),
        Asked("POST", "/os-aggregates/$aggregate/action", {"remove_host": {"host": "none"}}, user="admin"),
        Asked("POST", "/os-aggregates/$aggregate/action", {"remove_host": {"host": "host1"}}, user="admin"),
        Asked("POST", "/os-aggregates/$aggregate/action", {"remove_host": {"host": "host1"}}, user="admin"),
        Asked("DELETE", "/os-aggregates/$aggregate", user="admin"),
        Asked("DELETE", "/os-aggregates/$aggregate", user="admin"),
    ),
    "quotas": (
        Asked("GET", "/os-quota-sets/$demo"),
        Asked("GET", "/os-quota-sets/$other"),
        Asked("GET", "/os-quota-sets/$demo/defaults", user="stranger"),
        Asked("PUT", "/os-quota-sets/$demo", {"quota_set": {"instances": 0}}),
        Asked("PUT", "/os-quota-sets/$demo", {"quota_set": {"instances": "x"}}, user="admin"),
        Asked("PUT", "/os-quota-sets/$demo", {"quota_set": {"instances": -2}}, user="admin"),
        Asked("PUT", "/os-quota-sets/$demo", {"quota_set": {"none": 1}}, user="admin"),
        Asked("PUT", "/os-quota-sets/$demo", {"quota_set": {"fixed_ips": 1}}, user="admin"),
        Asked("PUT", "/os-quota-sets/$demo", {"quota_set": {"instances": 0}}, user="admin"),
        boot(),
        replace(boot(), body={"server": {**WANTED, "min_count": 2}}),
        Asked("PUT", "/os-quota-sets/$demo", {"quota_set": {"instances": 10, "cores": 1}}, user="admin"),
        replace(boot(flavorRef="big")),
        Asked("PUT", "/os-quota-sets/$demo", {"quota_set": {"ram": 64, "cores": 20}}, user="admin"),
        replace(boot(flavorRef="big")),
        Asked("PUT", "/os-quota-sets/$demo", {"quota_set": {"metadata_items": 1}}, user="admin"),
        boot(metadata={"a": "b", "c": "d"}),
        Asked("PUT", "/os-quota-sets/$demo", {"quota_set": {"key_pairs": 0, "server_groups": 0}}, user="admin"),
        Asked("POST", "/os-server-groups", {"server_group": {"name": "g", "policy": "affinity"}}),
        Asked("DELETE", "/os-quota-sets/$demo"),
        Asked("DELETE", "/os-quota-sets/$demo", user="admin"),
        Asked("GET", "/os-quota-class-sets/default", user="admin"),
        Asked("PUT", "/os-quota-class-sets/default", {"quota_class_set": {"none": 1}}, user="admin"),
        Asked("GET", "/limits?tenant_id=$other"),
        Asked("GET", "/limits?none=1"),
    ),
    "operators": (
        Asked("GET", "/os-services"),
        Asked("PUT", "/os-services/$nobody", {"status": "disabled"}, user="admin"),
        Asked("PUT", "/os-services/one", {"status": "disabled"}, user="admin"),
        Asked("PUT", "/os-services/$nobody", {}, user="admin"),
        Asked("DELETE", "/os-services/$nobody", user="admin"),
        Asked("PUT", "/os-services/disable", {"host": "none", "binary": "nova-compute"}, user="admin", version="2.1"),
        Asked("GET", "/os-hypervisors"),
        Asked("GET", "/os-hypervisors/$nobody", user="admin"),
        Asked("GET", "/os-hypervisors/one", user="admin"),
        Asked("GET", "/os-hypervisors/99", user="admin", version="2.1"),
        Asked("GET", "/os-hypervisors/none/search", user="admin", version="2.1"),
        Asked("GET", "/os-hypervisors/none/servers", user="admin", version="2.1"),
        Asked("GET", "/os-hypervisors?hypervisor_hostname_pattern=none", user="admin"),
        Asked("GET", "/os-hosts/none", user="admin", version="2.1"),
        Asked("PUT", "/os-hosts/host1", {"status": "some"}, user="admin", version="2.1"),
        Asked("GET", "/os-hosts", user="admin", version="2.43"),
        Asked("GET", "/os-migrations"),
        Asked("GET", "/os-migrations?none=1", user="admin"),
        Asked("GET", "/os-migrations?limit=-1", user="admin"),
        Asked("GET", "/os-migrations?marker=$nobody", user="admin"),
        Asked("GET", "/os-migrations?changes-since=x", user="admin"),
        Asked("GET", "/os-instance_usage_audit_log", user="admin"),
        Asked("GET", "/os-instance_usage_audit_log"),
        Asked("GET", "/os-instance_usage_audit_log/x", user="admin"),
        Asked("GET", "/os-simple-tenant-usage"),
        Asked("GET", "/os-simple-tenant-usage/$demo?start=x"),
        Asked("GET", "/os-simple-tenant-usage/$demo?start=2020-01-02T00:00:00&end=2020-01-01T00:00:00"),
        Asked("GET", "/os-simple-tenant-usage/$other"),
        Asked("POST", "/os-server-external-events", {"events": []}, user="admin"),
        Asked("POST", "/os-server-external-events", {"events": [{**_EVENT, "name": "none"}]}, user="admin"),
        Asked("POST", "/os-server-external-events", {"events": [_EVENT]}, user="admin"),
        Asked("POST", "/os-server-external-events", {"events": [_EVENT]}),
        Asked("GET", "/extensions/none"),
        Asked("GET", "/os-cells", user="admin"),
        Asked("GET", "/os-fping", user="admin"),
        Asked("GET", "/none"),
        Asked("POST", "/servers/detail", {}),
        Asked("POST", "/os-assisted-volume-snapshots", {"snapshot": {"volume_id": "$nobody", "create_info":
              {"snapshot_id": "$nobody", "type": "qcow2", "new_file": "f"}}}, user="admin"),
        Asked("POST", "/os-assisted-volume-snapshots", {"snapshot": {"volume_id": "v"}}, user="admin"),
        Asked("POST", "/os-assisted-volume-snapshots", {"snapshot": {"volume_id": "v"}}),
        Asked("DELETE", "/os-assisted-volume-snapshots/x", user="admin"),
        Asked("DELETE", "/os-assisted-volume-snapshots/x?delete_info=x", user="admin"),
        Asked("DELETE", '/os-assisted-volume-snapshots/x?delete_info={"volume_id":"$nobody"}', user="admin"),
        Asked("DELETE", '/os-assisted-volume-snapshots/x?delete_info={"volume_id":"$nobody"}'),
        Asked("GET", "/os-baremetal-nodes", user="admin", version="2.1"),
        Asked("GET", "/os-baremetal-nodes", version="2.1"),
        Asked("GET", "/os-baremetal-nodes/x", user="admin", version="2.1"),
        Asked("POST", "/os-baremetal-nodes", {}, user="admin", version="2.1"),
        Asked("DELETE", "/os-baremetal-nodes/x", user="admin", version="2.1"),
        Asked("POST", "/os-baremetal-nodes/x/action", {"add_interface": {}}, user="admin", version="2.1"),
        Asked("GET", "/os-baremetal-nodes", user="admin", version="2.36"),
    ),
    "a server": (
        replace(boot(metadata={"a": "b"}, tags=["t"], description="d"), keep={"server": ("server", "id")}),
        Asked("GET", "/servers?none=1"),
        Asked("GET", "/servers?limit=-1"),
        Asked("GET", "/servers?limit=x"),
        Asked("GET", "/servers?marker=$nobody"),
        Asked("GET", "/servers?sort_key=none"),
        Asked("GET", "/servers?sort_dir=up"),
        Asked("GET", "/servers?status=none"),
        Asked("GET", "/servers?changes-since=x"),
        Asked("GET", "/servers?all_tenants=1"),
        Asked("GET", "/servers?all_tenants=x", user="admin"),
        Asked("GET", "/servers?deleted=maybe", user="admin"),
        Asked("GET", "/servers?ip=("),
        Asked("GET", "/servers?name=("),
        Asked("GET", "/servers/$server", user="stranger"),
        Asked("GET", "/servers/$nobody"),
        Asked("PUT", "/servers/$server", {"server": {"name": ""}}),
        Asked("PUT", "/servers/$server", {"server": {"hostname": "h"}}),
        Asked("PUT", "/servers/$server", {"server": {"none": 1}}),
        Asked("PUT", "/servers/$server", {}),
        Asked("GET", "/servers/$server/metadata"),
        Asked("GET", "/servers/$server/metadata/none"),
        Asked("PUT", "/servers/$server/metadata/k", {"meta": {"other": "v"}}),
        Asked("PUT", "/servers/$server/metadata/k", {"meta": {"k": "v", "l": "v"}}),
        Asked("PUT", "/servers/$server/metadata/k", {"meta": {"k": 1}}),
        Asked("PUT", "/servers/$server/metadata", {"metadata": {}}),
        Asked("POST", "/servers/$server/metadata", {"metadata": {f"k{n}": "v" for n in range(200)}}),
        Asked("GET", "/servers/$server/tags"),
        Asked("GET", "/servers/$server/tags/t"),
        Asked("GET", "/servers/$server/tags/none"),
        Asked("PUT", "/servers/$server/tags/a,b"),
        Asked("PUT", f"/servers/$server/tags/{'x' * 61}"),
        Asked("PUT", "/servers/$server/tags", {"tags": [f"t{n}" for n in range(51)]}),
        Asked("DELETE", "/servers/$server/tags/none"),
        Asked("GET", "/servers/$server/tags", version="2.25"),
        Asked("GET", "/servers/$server/ips"),
        Asked("GET", "/servers/$server/ips/none"),
        Asked("GET", "/servers/$server/migrations", user="admin"),
        Asked("GET", "/servers/$server/migrations/99", user="admin"),
        Asked("GET", "/servers/$server/migrations/x", user="admin"),
        Asked("GET", "/servers/$server/os-instance-actions/req-none"),
        Asked("GET", "/servers/$server/os-instance-actions?limit=-1"),
        Asked("GET", "/servers/$server/diagnostics"),
        Asked("POST", "/servers/$server/remote-consoles", {"remote_console": {"protocol": "vnc", "type": "none"}}),
        Asked("POST", "/servers/$server/remote-consoles", {"remote_console": {"protocol": "vnc", "type": "serial"}}),
        Asked("GET", "/servers/$server/shares", version="2.97"),
        Asked("GET", "/servers/$server/shares", version="2.96"),
        Asked("GET", "/servers/$server/shares/$nobody", version="2.97"),
        Asked("POST", "/servers/$server/shares", {"share": {"share_id": "$nobody"}}, version="2.97"),
        Asked("POST", "/servers/$server/shares", {"share": {"share_id": "x"}}, version="2.97"),
        Asked("POST", "/servers/$server/shares", {"share": {"share_id": "$nobody", "tag": "x" * 256}}, version="2.97"),
        Asked("POST", "/servers/$nobody/shares", {"share": {"share_id": "$nobody"}}, version="2.97"),
        Asked("DELETE", "/servers/$server/shares/$nobody", version="2.97"),
        Asked("DELETE", "/servers/$server/shares/x", version="2.97"),
        act("os-stop"),
        Asked("POST", "/servers/$server/shares", {"share": {"share_id": "$nobody"}}, version="2.97"),
        Asked("DELETE", "/servers/$server/shares/$nobody", version="2.97"),
        act("none"),
        act("os-stop", version="2.1000"),
        Asked("POST", "/servers/$server/action", {}),
        Asked("POST", "/servers/$server/action"),
    ),
}  # fmt: skip

#: All that is played, in parts that need nothing of each other.
PARTS = (*STATES, *HELD, "wrong requests", "wrong boots", *STORIES)
