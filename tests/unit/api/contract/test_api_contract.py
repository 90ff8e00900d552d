"""Each operation of the api answers as Nova says that its own would."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from mininova.api.routes import ROUTES
from mininova.context import RequestContext
from mininova.db import block_devices
from mininova.objects import Console, ImageMeta
from mininova.objects.network import network_id, port_id, subnet_id
from mininova.service.attachments import AttachmentEnds
from mininova.standins.cinder.bootstrap import bootstrap as bootstrap_types
from mininova.standins.cinder.in_process import VolumeService
from mininova.standins.cinder.volumes import Volumes
from mininova.standins.neutron.bootstrap import bootstrap
from mininova.standins.neutron.groups import Groups
from mininova.standins.neutron.networks import Networks, Subnets
from mininova.standins.neutron.nova_events import Nova
from mininova.standins.neutron.ports import Ports
from mininova.standins.neutron.routers import Routers
from mininova.wsgi import Microversion
from mininova.wsgi.deploy import at_once
from tests.fixtures.api_harness import IMAGE, PROJECT

VERSIONS = (
    "2.0", "2.1", "2.10", "2.25", "2.37",
    "2.46", "2.47", "2.52", "2.60", "2.69", "2.73", "2.79", "2.88", "2.90", "2.96", "2.98", "2.100", "2.102", "2.104",
)  # fmt: skip

PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK0wmN/Cr3JXqmLW7u+g9pTh+wyqDHpSQEIQczXkVx9q x"
DIAGNOSTICS = {
    "state": "running", "driver": "libvirt", "hypervisor": "fake", "hypervisor_os": "linux", "uptime": 7,
    "config_drive": False, "num_cpus": 1, "num_disks": 1, "num_nics": 1,
    "memory_details": {"maximum": 512, "used": 100},
    "cpu_details": [{"id": 0, "time": 17, "utilisation": 3}],
    "disk_details": [
        {"read_bytes": 1, "read_requests": 1, "write_bytes": 1, "write_requests": 1, "errors_count": 0}
    ],
    "nic_details": [
        {
            "mac_address": "fa:16:3e:00:00:02",
            **{f"{way}_{word}": 1 for way in ("rx", "tx") for word in ("octets", "packets", "errors", "drop", "rate")},
        }
    ],
    "disk_names": ["vda"], "nic_names": ["tap0"],
}  # fmt: skip

UNUSED = "99999999-9999-4999-8999-999999999999"  # an image of which no server is made

AS_MEMBER = RequestContext(project_id=PROJECT, user_id="member", roles=("member",))
ALL, ADMIN, MEMBER = ("admin", "member"), ("admin",), ("member",)

# method, path, body, user; the test fills in the words in braces
READS = (
    ("GET", "/servers", ALL),
    ("GET", "/servers?all_tenants=1&limit=1", ADMIN),
    ("GET", "/servers/detail", ALL),
    ("GET", "/servers/detail?all_tenants=1&limit=2&sort_key=created_at", ADMIN),
    ("GET", "/servers/{active}", ALL),
    ("GET", "/servers/{building}", ALL),
    ("GET", "/servers/{broken}", ALL),
    ("GET", "/servers/{active}/metadata", ALL),
    ("GET", "/servers/{active}/metadata/k", ALL),
    ("GET", "/servers/{active}/tags", ALL),
    ("GET", "/servers/{active}/tags/t", ALL),
    ("GET", "/servers/{active}/ips", ALL),
    ("GET", "/servers/{active}/ips/flat", ALL),
    ("GET", "/servers/{active}/diagnostics", ADMIN),
    ("GET", "/servers/{active}/topology", ALL),
    ("GET", "/servers/{active}/os-server-password", ALL),
    ("GET", "/servers/{active}/shares", ALL),
    ("GET", "/servers/{active}/os-volume_attachments", ALL),
    ("GET", "/servers/{active}/os-volume_attachments/{attached}", ALL),
    ("GET", "/servers/{active}/os-instance-actions", ALL),
    ("GET", "/servers/{active}/os-instance-actions/{request}", ALL),
    ("GET", "/flavors", ALL),
    ("GET", "/flavors?limit=1", ALL),
    ("GET", "/flavors/detail", ALL),
    ("GET", "/flavors/detail?is_public=None", ADMIN),
    ("GET", "/flavors/1", ALL),
    ("GET", "/flavors/1/os-extra_specs", ALL),
    ("GET", "/flavors/1/os-extra_specs/hw:cpu_policy", ALL),
    ("GET", "/flavors/private/os-flavor-access", ADMIN),
    ("GET", "/os-keypairs", ALL),
    ("GET", "/os-keypairs/kept", ALL),
    ("GET", "/os-services", ADMIN),
    ("GET", "/os-hypervisors", ADMIN),
    ("GET", "/os-hypervisors?limit=1", ADMIN),
    ("GET", "/os-hypervisors?with_servers=True", ADMIN),
    ("GET", "/os-hypervisors/detail", ADMIN),
    ("GET", "/os-hypervisors/{hypervisor}", ADMIN),
    ("GET", "/os-hypervisors/statistics", ADMIN),
    ("GET", "/os-hypervisors/{hypervisor}/uptime", ADMIN),
    ("GET", "/os-hypervisors/host/search", ADMIN),
    ("GET", "/os-hypervisors/host-1/servers", ADMIN),
    ("GET", "/os-hosts?zone=nova", ADMIN),
    ("GET", "/os-hosts/host-1", ADMIN),
    ("GET", "/os-availability-zone", ALL),
    ("GET", "/os-availability-zone/detail", ADMIN),
    ("GET", "/os-aggregates", ADMIN),
    ("GET", "/os-aggregates/{aggregate}", ADMIN),
    ("GET", "/os-networks", ALL),
    ("GET", "/os-security-groups?limit=5&offset=0&all_tenants=1", ALL),
    ("GET", "/os-security-groups/{security_group}", ALL),
    ("GET", "/servers/{active}/os-interface", ALL),
    ("GET", "/os-floating-ip-pools", ALL),
    ("GET", "/os-floating-ips", ALL),
    ("GET", "/os-floating-ips/{floating_ip}", MEMBER),
    ("GET", "/servers/{active}/os-interface/{port}", ALL),
    ("GET", "/servers/{active}/os-security-groups", ALL),
    ("GET", "/os-networks/{network}", ALL),
    *(
        ("GET", f"/{path}", MEMBER)
        for path in (
            "os-volumes",
            "os-volumes/detail?limit=1",
            "os-volumes/{attached}",
            "os-snapshots",
            "os-snapshots/detail",
            "os-snapshots/{taken}",
        )
    ),
    ("GET", "/os-tenant-networks", ALL),
    ("GET", "/os-tenant-networks/{network}", ALL),
    ("GET", "/os-server-groups?limit=5&offset=0", ALL),
    ("GET", "/os-server-groups?all_projects=True", ADMIN),
    ("GET", "/os-server-groups/{group}", ALL),
    ("GET", "/images?limit=1", ALL),
    ("GET", "/images/detail?server={active}", ALL),
    ("GET", f"/images/{IMAGE}", ALL),
    ("GET", f"/images/{IMAGE}/metadata", ALL),
    ("GET", f"/images/{IMAGE}/metadata/auto_disk_config", ALL),
    ("GET", "/os-migrations?limit=5", ADMIN),
    ("GET", "/os-migrations", ADMIN),
    ("GET", "/servers/{active}/migrations", ADMIN),
    ("GET", "/servers/{active}/migrations/{migration}", ADMIN),
    ("GET", "/limits", ALL),
    ("GET", "/os-quota-sets/{project}", ALL),
    ("GET", "/os-quota-sets/{project}/detail", ALL),
    ("GET", "/os-quota-sets/{project}/defaults", ALL),
    ("GET", "/os-quota-class-sets/default", ADMIN),
    ("GET", "/os-instance_usage_audit_log", ADMIN),
    ("GET", "/os-instance_usage_audit_log/2026-01-01 00:00:00", ADMIN),
    ("GET", "/os-simple-tenant-usage?start=2026-01-01T00:00:00&detailed=1", ADMIN),
    ("GET", "/os-simple-tenant-usage/{project}?start=2026-01-01T00:00:00", ALL),
    ("GET", "/os-simple-tenant-usage/{project}?start=2026-01-01T00:00:00&limit=1", ALL),
    ("GET", "/extensions", ALL),
    ("GET", "/extensions/os-services", ALL),
    ("GET", "/versions/v2.1", ALL),
)
SERVER = {"name": "new", "flavorRef": "1", "imageRef": "11111111-1111-4111-8111-111111111111", "networks": "auto"}
GROUP = {"name": "few", "policy": "anti-affinity", "rules": {"max_server_per_host": "2"}}
FLAVOR = {"name": "n", "ram": 1, "vcpus": 1, "disk": 1, "swap": 4}
RULE = {"parent_group_id": "{security_group}", "ip_protocol": "tcp", "from_port": 1, "to_port": 9}
# Actions that are asked of servers of their own: the vm_state that each may start from, and what it takes.
IN_PLACE = {
    "pause": ("active", None),
    "unpause": ("paused", None),
    "suspend": ("active", None),
    "resume": ("suspended", None),
    "changePassword": ("active", {"adminPass": "new"}),
    "rescue": ("active", {"adminPass": "new"}),
    "unrescue": ("rescued", None),
    "rebuild": ("stopped", {"imageRef": "11111111-1111-4111-8111-111111111111", "metadata": {"a": "b"}}),
    "createImage": ("paused", {"name": "of one", "metadata": {"a": "b"}}),
    "createBackup": ("active", {"name": "of one", "backup_type": "daily", "rotation": 1}),
    "shelve": ("suspended", None),
    "shelveOffload": ("shelved", None),
    "unshelve": ("shelved", None),
    "trigger_crash_dump": ("active", None),
    "resize": ("active", {"flavorRef": "2"}),
    "confirmResize": ("resized", None),
    "revertResize": ("resized", None),
    "restore": ("soft-delete", None),
}
WRITES = (
    ("POST", "/servers", {"server": SERVER}, MEMBER),
    ("PUT", "/servers/{active}", {"server": {"name": "renamed", "accessIPv4": "10.1.2.3"}}, ALL),
    ("POST", "/servers/{active}/metadata", {"metadata": {"a": "b"}}, ALL),
    ("PUT", "/servers/{active}/metadata", {"metadata": {"c": "d"}}, ALL),
    ("PUT", "/servers/{active}/metadata/e", {"meta": {"e": "f"}}, ALL),
    ("DELETE", "/servers/{active}/metadata/e", None, ALL),
    ("PUT", "/servers/{active}/tags", {"tags": ["x", "y"]}, ALL),
    ("PUT", "/servers/{active}/tags/z", None, ALL),
    ("PUT", "/servers/{active}/tags/z", None, ALL),
    ("DELETE", "/servers/{active}/tags/z", None, ALL),
    ("DELETE", "/servers/{active}/tags", None, ALL),
    ("POST", "/os-security-groups", {"security_group": {"name": "new", "description": ""}}, MEMBER),
    ("PUT", "/os-security-groups/{security_group}", {"security_group": {"name": "shop", "description": ""}}, ALL),
    ("POST", "/os-security-group-rules", {"security_group_rule": RULE}, ALL),
    ("DELETE", "/os-security-group-rules/{rule}", None, ALL),
    ("DELETE", "/os-security-groups/{security_group}", None, ALL),
    ("POST", "/servers/{active}/action", {"removeSecurityGroup": {"name": "default"}}, ALL),
    ("POST", "/servers/{active}/action", {"addSecurityGroup": {"name": "default"}}, ALL),
    ("POST", "/servers/{active}/os-interface", {"interfaceAttachment": {}}, ALL),
    ("DELETE", "/servers/{active}/os-interface/{port}", None, ALL),
    ("POST", "/servers/{active}/action", {"removeFloatingIp": {"address": "203.0.113.9"}}, MEMBER),
    ("POST", "/servers/{active}/action", {"addFloatingIp": {"address": "203.0.113.9"}}, MEMBER),
    ("POST", "/servers/{active}/action", {"addFixedIp": {"networkId": "{flat}"}}, ALL),
    ("POST", "/servers/{active}/action", {"removeFixedIp": {"address": "10.0.0.2"}}, ALL),
    ("POST", "/os-floating-ips", {"pool": "public"}, ALL),
    ("DELETE", "/os-floating-ips/{floating_ip}", None, MEMBER),
    ("POST", "/os-volumes", {"volume": {"size": 1, "display_name": "data"}}, MEMBER),
    ("DELETE", "/os-volumes/{unneeded}", None, MEMBER),
    ("POST", "/os-snapshots", {"snapshot": {"volume_id": "{spare}"}}, MEMBER),
    ("DELETE", "/os-snapshots/{taken}", None, MEMBER),
    ("POST", "/servers/{active}/action", {"lock": None}, ALL),
    ("POST", "/servers/{active}/action", {"unlock": None}, ALL),
    ("POST", "/servers/{active}/action", {"injectNetworkInfo": None}, ADMIN),
    ("DELETE", "/servers/{active}/os-server-password", None, ALL),
    ("POST", "/servers/{active}/os-volume_attachments", {"volumeAttachment": {"volumeId": "{spare}"}}, MEMBER),
    ("DELETE", "/servers/{active}/os-volume_attachments/{attached}", None, MEMBER),
    ("POST", "/os-server-external-events", {"events": [{"name": "network-changed", "server_uuid": "1" * 32}]}, ADMIN),
    ("PUT", "/os-hosts/host-1", {"status": "enable"}, ADMIN),
    ("POST", "/servers/{active}/action", {"os-getConsoleOutput": {"length": 5}}, ALL),
    ("POST", "/servers/{active}/action", {"os-getVNCConsole": {"type": "novnc"}}, ALL),
    ("POST", "/servers/{active}/action", {"os-getSPICEConsole": {"type": "spice-html5"}}, ALL),
    ("POST", "/servers/{active}/action", {"os-getSerialConsole": {"type": "serial"}}, ALL),
    ("POST", "/servers/{active}/remote-consoles", {"remote_console": {"protocol": "vnc", "type": "novnc"}}, ALL),
    ("POST", "/servers/{active}/action", {"reboot": {"type": "SOFT"}}, ALL),
    ("POST", "/servers/{active}/action", {"os-resetState": {"state": "active"}}, ADMIN),
    ("POST", "/servers/{stopped}/action", {"os-start": None}, ALL),
    ("POST", "/servers/{other}/action", {"os-stop": None}, ALL),
    ("POST", "/servers/{other}/action", {"forceDelete": None}, ALL),
    *(
        ("POST", f"/servers/{{for_{action}}}/action", {action: body}, ADMIN if action == "shelveOffload" else ALL)
        for action, (_, body) in IN_PLACE.items()
    ),
    ("POST", "/servers/{for_migrate}/action", {"migrate": None}, ADMIN),
    ("POST", "/servers/{for_migrate_live}/action", {"os-migrateLive": {"host": None, "block_migration": False}}, ADMIN),
    ("POST", "/servers/{for_migrate_live}/migrations/{aborted}/action", {"force_complete": None}, ADMIN),
    ("DELETE", "/servers/{for_migrate_live}/migrations/{aborted}", None, ADMIN),
    ("POST", "/servers/{for_evacuate}/action", {"evacuate": {}}, ADMIN),
    ("DELETE", "/servers/{building}", None, ALL),
    ("POST", f"/images/{IMAGE}/metadata", {"metadata": {"a": "b"}}, ALL),
    ("PUT", f"/images/{IMAGE}/metadata/a", {"meta": {"a": "c"}}, ALL),
    ("DELETE", f"/images/{IMAGE}/metadata/a", None, ALL),
    ("PUT", f"/images/{IMAGE}/metadata", {"metadata": {"c": "d"}}, ALL),
    ("DELETE", f"/images/{UNUSED}", None, ALL),
    ("POST", "/flavors", {"flavor": FLAVOR}, ADMIN),
    ("PUT", "/flavors/1", {"flavor": {"description": "small"}}, ADMIN),
    ("POST", "/flavors/1/os-extra_specs", {"extra_specs": {"a": "1"}}, ADMIN),
    ("PUT", "/flavors/1/os-extra_specs/a", {"a": "2"}, ADMIN),
    ("DELETE", "/flavors/1/os-extra_specs/a", None, ADMIN),
    ("POST", "/flavors/private/action", {"addTenantAccess": {"tenant": "b" * 32}}, ADMIN),
    ("POST", "/flavors/private/action", {"removeTenantAccess": {"tenant": "b" * 32}}, ADMIN),
    ("DELETE", "/flavors/2", None, ADMIN),
    ("POST", "/os-aggregates", {"aggregate": {"name": "rack-7", "availability_zone": "west"}}, ADMIN),
    ("PUT", "/os-aggregates/{aggregate}", {"aggregate": {"name": "rack-9"}}, ADMIN),
    ("POST", "/os-aggregates/{aggregate}/action", {"add_host": {"host": "host-3"}}, ADMIN),
    ("POST", "/os-aggregates/{aggregate}/action", {"set_metadata": {"metadata": {"ssd": "true"}}}, ADMIN),
    ("POST", "/os-aggregates/{aggregate}/action", {"remove_host": {"host": "host-3"}}, ADMIN),
    ("POST", "/os-aggregates/{aggregate}/images", {"cache": [{"id": UNUSED}]}, ADMIN),
    ("DELETE", "/os-aggregates/{aggregate}", None, ADMIN),
    ("POST", "/os-keypairs", {"keypair": {"name": "given", "public_key": PUBLIC_KEY}}, ALL),
    ("DELETE", "/os-keypairs/given", None, ALL),
    ("POST", "/os-server-groups", {"server_group": GROUP}, ALL),
    ("DELETE", "/os-server-groups/{group}", None, ALL),
    ("PUT", "/os-services/{service}", {"status": "disabled", "disabled_reason": "why"}, ADMIN),
    ("PUT", "/os-services/enable", {"host": "host-1", "binary": "nova-compute"}, ADMIN),
    ("PUT", "/os-services/disable", {"host": "host-1", "binary": "nova-compute"}, ADMIN),
    ("PUT", "/os-services/force-down", {"host": "host-1", "binary": "nova-compute", "forced_down": True}, ADMIN),
    ("DELETE", "/os-services/{service}", None, ADMIN),
    ("PUT", "/os-quota-sets/{project}", {"quota_set": {"cores": 30, "force": "True"}}, ADMIN),
    ("PUT", "/os-quota-sets/{project}?user_id=member", {"quota_set": {"key_pairs": "3"}}, ADMIN),
    ("DELETE", "/os-quota-sets/{project}", None, ADMIN),
    ("PUT", "/os-quota-class-sets/default", {"quota_class_set": {"instances": 12}}, ADMIN),
)
# What is refused, as by a Nova whose hypervisor lacks it, or which has no share, no volume and no Ironic:
# method, path, body, status, and words of the answer.
NODES, NODE = "/os-baremetal-nodes", "/os-baremetal-nodes/7"
SWAP = {"volumeAttachment": {"volumeId": UNUSED}}
SNAPSHOT = {"volume_id": UNUSED, "create_info": {"snapshot_id": UNUSED, "type": "qcow2", "new_file": "a"}}
REFUSED = (
    *(
        ("GET", f"/os-hosts/host-1/{action}", None, 501, "not supported")
        for action in ("startup", "shutdown", "reboot")
    ),
    ("GET", "/os-console-auth-tokens/made-up", None, 404, "Token not found"),
    ("PUT", "/servers/{active}/os-volume_attachments/{attached}", SWAP, 409, "is not migrating"),
    ("POST", "/servers/{stopped}/shares", {"share": {"share_id": UNUSED}}, 409, "not configured correctly"),
    ("POST", "/servers/{active}/shares", {"share": {"share_id": UNUSED}}, 409, "in vm_state active"),
    ("GET", "/servers/{active}/shares/" + UNUSED, None, 404, "could not be found"),
    ("DELETE", "/servers/{stopped}/shares/" + UNUSED, None, 404, "could not be found"),
    ("POST", "/os-assisted-volume-snapshots", {"snapshot": SNAPSHOT}, 400, "No volume Block Device Mapping"),
    ("DELETE", f'/os-assisted-volume-snapshots/7?delete_info={{{{"volume_id":"{UNUSED}"}}}}', None, 400, "No volume"),
    ("DELETE", "/os-assisted-volume-snapshots/7?delete_info=7", None, 400, "not subscriptable"),
    ("GET", NODES, None, 501, "not supported"),
    ("GET", NODE, None, 501, "not supported"),
    ("POST", NODES, {"node": {}}, 400, "Ironic command node-create"),
    ("DELETE", NODE, None, 400, "Ironic command node-delete"),
    ("POST", f"{NODE}/action", {"add_interface": {}}, 400, "Ironic command port-create"),
    ("POST", f"{NODE}/action", {"remove_interface": {}}, 400, "Ironic command port-delete"),
)
# Operations that Nova has in some microversions, with what replaces them in others.
RANGES = {
    "/os-services/enable": ("2.1", "2.52"),
    "/os-services/disable": ("2.1", "2.52"),
    "/os-services/force-down": ("2.11", "2.52"),
    "PUT /os-services/{service}": ("2.53", "2.104"),
}


def _filled(body: Any, names: dict[str, str]) -> Any:
    """Give a copy of a body, with the ids in the place of their names."""
    if isinstance(body, dict):
        return {key: _filled(value, names) for key, value in body.items()}
    return body.format(**names) if isinstance(body, str) and body.startswith("{") else body


def served(method: str, path: str, body: Any, version: Microversion) -> bool:
    """Tell whether a microversion has an operation."""
    for name in (path, f"{method} {path}"):
        if name in RANGES:
            low, high = map(Microversion.parse, RANGES[name])
            return low <= version <= high
    url = path.partition("?")[0]
    rows = [row for row in ROUTES if row.method == method and _fits(row.template, url) and _acts(row, body)]
    # Of several rows, the one with the fewest variables fits best.
    return min(rows, key=lambda row: row.template.count("<")).serves(version)


def _fits(template: str, url: str) -> bool:
    return re.fullmatch(re.sub(r"<\w+>", "[^/]+", template), url) is not None


def _acts(row: Any, body: Any) -> bool:
    return row.action is None or row.action in body


def _lead_in(api: Any, port: str) -> str:
    """Have a floating IP lead to a port of the flat network, by a router; give its id."""
    ctxt = RequestContext(project_id=PROJECT, roles=("member",))
    bootstrap(api.db, api.conf, {}, {})
    networks = Networks(api.db, api.conf)
    subnets, ports = Subnets(api.db, api.conf, networks), Ports(api.db, networks, Nova(api.conf, at_once))
    (out,) = (each["id"] for each in networks.search(ctxt) if each["router:external"])
    routers = Routers(api.db, networks, subnets, ports)
    router = routers.create(ctxt, {"external_gateway_info": {"network_id": out}})["id"]
    routers.add_interface(ctxt, router, {"subnet_id": subnet_id("flat")})
    wanted = {"floating_network_id": out, "floating_ip_address": "203.0.113.9", "port_id": port}
    ip: str = api.cloud.network.floating_ips.create(ctxt, wanted)["id"]
    return ip


@pytest.fixture
def names(api: Any, request: pytest.FixtureRequest) -> dict[str, str]:
    """Make one object of each kind, and give the ids."""
    from mininova.api.handlers.server_migrations import LIVE
    from mininova.db import aggregates, faults, flavors, hosts, instances, networks, server_migrations, services
    from mininova.objects import Fault, Retry, Service

    version = request.getfixturevalue("version")
    active = api.active(metadata={"k": "v"}, version="2.52", tags=["t"], user_data="aGVsbG8=")
    group = api("POST", "/os-server-groups", {"server_group": GROUP}, version="2.64").body["server_group"]["id"]
    api.boot(hints={"group": group})
    properties = {"auto_disk_config": "True", "instance_uuid": active}
    for image_id in (IMAGE, UNUSED):
        api.images.there[image_id] = ImageMeta(id=image_id, name="cirros", size=1024, properties=properties)
    stopped, other, broken = api.active(), api.active(host="host-2"), api.boot()
    api.change(stopped, vm_state="stopped", launched_at=datetime.now(UTC))
    api.change(active, launched_at=datetime.now(UTC))
    api.change(broken, vm_state="error", task_state=None)
    ready = {f"for_{action}": api.active() for action in (*IN_PLACE, "migrate", "migrate_live")}
    ready["for_evacuate"] = api.active(host="host-9")  # which is none, and so down
    for action, (vm_state, _) in IN_PLACE.items():
        api.change(ready[f"for_{action}"], vm_state=vm_state)
    api.compute.answers["get_diagnostics"] = DIAGNOSTICS
    api.compute.answers["get_remote_console"] = Console(
        host="10.0.0.9", port=5900, internal_access_path=UNUSED, access_url_base="http://proxy:6080/"
    )
    with api.db.write() as tx:
        networks.allocate(tx, "flat", "10.0.0.0/16", active)
        faults.create(tx, broken, Fault(code=500, message="No valid host was found.", details="Traceback"))
        flavors.update(tx, "1", extra_specs={"hw:cpu_policy": "shared"})
        flavors.create(tx, flavors.get(tx, "1").replace(flavor_id="private", name="private", is_public=False))
        flavors.grant(tx, "private", "a-project")
        # It has no instances; of services, only a nova-compute can be changed.
        service = services.report(tx, Service(binary="nova-compute", host="host-3", topic="compute"), datetime.now(UTC))
        node = hosts.search(tx)[0]
        aggregate = aggregates.create(tx, "rack-8", None)
        migrating = []
        for uuid in active, ready["for_migrate_live"]:
            migration = server_migrations.begin(
                tx, it := instances.get(tx, uuid), LIVE, it.flavor, Retry(), it.vm_state
            )
            server_migrations.record(tx, migration.replace(status="running"))
            migrating += server_migrations.search(tx, {"instance_uuid": uuid})
    for user in ALL:
        key = {"keypair": {"name": "kept", "public_key": PUBLIC_KEY}}
        assert api("POST", "/os-keypairs", key, user=user).status == 200
    attached, spare = volumes_of(api, active)
    actions = api("GET", f"/servers/{active}/os-instance-actions", user="admin").body["instanceActions"]
    groups = Groups(api.db)
    web = groups.create(RequestContext(project_id=PROJECT, roles=("member",)), {"name": "web"})
    by_uuid = Microversion.parse(version) >= (2, 53)
    floating_ip = _lead_in(api, port_id(active))
    return {
        **ready,
        "active": active,
        "stopped": stopped,
        "other": other,
        "broken": broken,
        "group": group,
        "security_group": web["id"],
        "port": port_id(active),
        "flat": network_id("flat"),
        "floating_ip": floating_ip,
        "rule": web["security_group_rules"][0]["id"],
        "building": api.boot(),
        "attached": attached,
        "spare": spare,
        "unneeded": VolumeService(api.db).make(AS_MEMBER, {"size": 1}).id,
        "taken": VolumeService(api.db).take_snapshot(AS_MEMBER, attached, "kept", force=True).id,
        "request": actions[0]["request_id"],
        "hypervisor": node.uuid if by_uuid else str(node.id),
        "service": service.uuid if by_uuid else str(service.id),
        "aggregate": str(aggregate.id),
        "migration": str(migrating[0].id),
        "aborted": str(migrating[1].id),
        "network": network_id(api.conf.network.label),
        "project": api.instance(active).project_id,
    }


def volumes_of(api: Any, uuid: str) -> tuple[str, str]:
    """Make two volumes, of which the instance has the first."""
    bootstrap_types(api.db, api.conf, {}, {})
    volumes = Volumes(api.db)
    attached, spare = (volumes.create(AS_MEMBER, {}, 1).id for _ in range(2))
    body = {"volumeAttachment": {"volumeId": attached}}
    assert api("POST", f"/servers/{uuid}/os-volume_attachments", body).status == 200
    with api.db.read() as tx:
        (begun,) = block_devices.of(tx, [uuid])
    AttachmentEnds(api.db, volumes=lambda: VolumeService(api.db)).succeed(api.instance(uuid), begun)
    return attached, spare


@pytest.mark.parametrize("user", ALL)
@pytest.mark.parametrize("version", VERSIONS)
def test_answers_are_as_nova_says(api: Any, contract: Any, names: dict[str, str], version: str, user: str) -> None:
    """Every operation answers with Nova's status, and with a body that Nova's own schema accepts."""
    calls = [(method, path, None, who) for method, path, who in READS] + list(WRITES)
    problems, asked = [], 0
    for method, path, body, who in calls:
        if user not in who or not served(method, path, body, Microversion.parse(version)):
            continue
        url, sent = path.format(**names), _filled(body, names)
        if url == "/servers" and Microversion.parse(version) < (2, 37):
            sent = {"server": {name: value for name, value in SERVER.items() if name != "networks"}}
        if method == "POST" and url == "/os-server-groups" and Microversion.parse(version) < (2, 64):
            sent = {"server_group": {"name": "few", "policies": ["anti-affinity"]}}
        if body and "os-migrateLive" in body and Microversion.parse(version) < (2, 25):
            sent = {"os-migrateLive": {**body["os-migrateLive"], "disk_over_commit": False}}
        if body and "evacuate" in body and Microversion.parse(version) < (2, 14):
            sent = {"evacuate": {"onSharedStorage": False}}
        if version == "2.0":
            answer = api(method, f"//v2{url}", sent, user=user)
        else:
            answer = api(method, url, sent, version=version, user=user)
        asked += 1
        if answer.status >= 400:
            problems.append(f"{method} {url} {answer.status} {answer.body}")
        problems += contract.problems(method, url, sent, version, answer)
        if answer.headers.get("X-OpenStack-Nova-API-Version") != (version if version != "2.0" else None):
            problems.append(f"{method} {url} does not say its version")
    assert not problems, "\n".join(problems)
    assert asked > 30


@pytest.mark.parametrize("version", ["2.1", "2.10", "2.46", "2.104"])
def test_what_is_lacking_is_refused(api: Any, contract: Any, names: dict[str, str], version: str) -> None:
    """The answer says why, and Nova's contract has it, as long as it has the operation."""
    for method, path, body, status, words in REFUSED:
        url = path.format(**names)
        answer = api(method, url, body, version=version, user="admin")
        if served(method, path, body, Microversion.parse(version)):
            assert (answer.status, words in answer.message) == (status, True), (url, answer.body)
            assert contract.problems(method, url, body, version, answer) == []
        else:
            assert answer.status == 404


def test_every_route_is_exercised() -> None:
    """The test above leaves out no row of the table of routes."""
    calls: list[Any] = [(method, path.partition("?")[0], body) for method, path, body, _, _ in REFUSED]
    calls += [(method, path.partition("?")[0], None) for method, path, _ in READS]
    calls += [(method, path, body) for method, path, body, _ in WRITES]
    missed = [
        row
        for row in ROUTES
        if not any(row.method == m and _fits(row.template, p) and _acts(row, b) for m, p, b in calls)
    ]
    assert [(row.method, row.template, row.action) for row in missed] == []


def test_an_operation_that_nova_removed_is_410(api: Any, contract: Any) -> None:
    """Such an operation is 410 in any version and for any id; but without a token it is 401."""
    for key in contract.removed:
        method, path, *action = key.split(" ")
        url = re.sub(r"\{\w+\}", "x", path)
        body = {action[0].strip("{}"): None} if action else None
        for version in ("2.1", "2.96"):
            answer = api(method, url, body, version=version)
            assert (answer.status, list(answer.body)) == (410, ["computeFault"]), key
        assert api(method, url, body, user=None).status == 401
    assert len(contract.removed) == 53
