"""Have Tempest test the stack that runs, and tell what is expected from what is not: tools/tempest.sh calls it.

A test that fails fails the run.  So does one that is skipped for a reason that is not in SKIPS, and one in NOT_YET that
passes: it has no business there any more.
"""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from configparser import ConfigParser
from contextlib import contextmanager
from pathlib import Path

import openstack
from openstack.connection import Connection
from stack import services
from stack.home import Home
from stack.settings import home_of, load

CHECKOUT = Path(__file__).parents[1]
TEMPEST = CHECKOUT / ".tempest/bin/tempest"
ALL = r"^tempest\.api\.compute\."
SECOND_IMAGE = "tempest-second"  # the tests want two
SHARED_TYPE = "tempest-multiattach"  # of volumes that several servers may have

#: What Tempest gives as the reason of a skip → why that is so here.
SKIPS = {
    r"Neutron allows|Neutron does not check|known-for-sure existing network": "it is about a Nova without Neutron",
    r"nova-network is not available": "it is about a Nova without Neutron",
    r"Found shared networks": "there is a network that everyone may use",
    r"hw_scsi_model": "no one can log in to a fake guest",
    r"Swapping volumes": "no volume migrates, and Nova swaps no others",
    r"Instance validation tests are disabled|Validation (must|should) be enabled": "no one can log in to a fake guest",
    r"Serial console not supported": "Tempest's own bug: its test types text where a websocket takes bytes",
    r"SPICE console feature is disabled": "there is no SPICE",
    r"Console feature is disabled": "the stack was started without MININOVA_CONSOLE_PORT",
    r"barbican-tempest-plugin": "there is no key manager",
    r"quota set is -1": "the local stack limits no project",
    r"certified_image_ref": "there is no key manager to check certificates with",
    r"microversion range.* out of the configuration range|From microversion": "it is about other microversions",
    r"Skipped until bug|Marked as unstable": "Tempest's own bug",
}

#: Tests that fail as yet → what is missing.
NOT_YET: dict[str, str] = {
    "servers.test_server_actions.ServerActionsV293TestJSON.test_rebuild_volume_backed_server": (
        "it logs in to its guest, also where the configuration says that no test can"
    ),
}
MINIMUM = os.environ.get("MININOVA_TEMPEST_MIN", "2.1")

#: Everything that Tempest may know of a fake cloud, but for what differs from stack to stack.
SETTINGS = {
    "oslo_concurrency": {"lock_path": "lock"},
    "auth": {
        "use_dynamic_credentials": "True", "admin_domain_name": "Default", "create_isolated_networks": "False",
        "default_credentials_domain_name": "Default",
    },
    "identity": {"auth_version": "v3", "region": "RegionOne"},
    "identity-feature-enabled": {"api_v2": "False"},
    "service_available": {
        "nova": "True", "glance": "True", "neutron": "True", "cinder": "True", "swift": "False", "horizon": "False",
    },
    "compute": {
        "flavor_ref": "1", "flavor_ref_alt": "2", "max_microversion": "latest", "min_compute_nodes": "2",
        "shelved_offload_time": "0", "fixed_network_name": "flat", "build_interval": "1", "build_timeout": "60",
    },
    "compute-feature-enabled": {
        **dict.fromkeys(
            ("resize", "cold_migration", "live_migration", "block_migration_for_live_migration", "shelve_migrate",
             "change_password", "hostname_fqdn_sanitization", "personality", "stable_rescue", "volume_multiattach",
             "volume_backed_live_migration"), "True",
        ),
        **dict.fromkeys(("serial_console", "spice_console"), "False"),
        "scheduler_enabled_filters": "all", "dhcp_domain": "",
        "nova_policy_roles": "admin,manager,member,reader,service",
    },
    "enforce_scope": {"nova": "True"},
    "network-feature-enabled": {"floating_ips": "True"},
    "volume": {"volume_size": "1", "build_interval": "1", "build_timeout": "60", "max_microversion": "latest"},
    "image": {"build_timeout": "60"},
    "validation": {"run_validation": "False"},
}  # fmt: skip

Outcomes = dict[str, tuple[str, str]]  # test → ok, FAILED or SKIPPED, and the reason


def main(words: list[str]) -> int:
    """Run the tests whose name matches, and give 1 if anything was unexpected."""
    home = home_of(os.environ)
    if not home.clouds.exists():
        print(f"tempest.sh: no stack was started in {home.root}. Run: tools/stack.sh", file=sys.stderr)
        return 2
    workspace = home.root / "tempest"
    os.environ["OS_CLIENT_CONFIG_FILE"] = str(home.clouds)
    cloud = openstack.connect(cloud="mininova-admin")
    with second_image(cloud) as second, shared_volumes(cloud), snapshots_of_a_second(home):
        configure(home, workspace, cloud, second)
        outcomes = run(workspace, ALL + (f".*{words[0]}" if words else ""))
    print(*summary(outcomes), sep="\n")
    return 1 if not outcomes or any(unexpected(outcomes)) else 0


def configure(home: Home, workspace: Path, cloud: Connection, second: str) -> None:
    """Write Tempest's configuration for a stack with a second image."""
    first = cloud.image.find_image("cirros", ignore_missing=False)
    public = cloud.network.find_network("public", ignore_missing=False)
    auth = cloud.config.get_auth_args()
    config = ConfigParser(interpolation=None)
    config.read_dict(SETTINGS)
    config.read_dict({
        "auth": {f"admin_{name}": auth[name] for name in ("username", "password", "project_name")},
        "identity": {"uri_v3": auth["auth_url"]},
        "compute": {
            "image_ref": first.id, "image_ref_alt": second,
            "min_microversion": MINIMUM,
        },
        "compute-feature-enabled": {"vnc_console": load(home).console_port is not None},
        "volume": {"volume_type_multiattach": SHARED_TYPE},
        "network": {"public_network_id": public.id, "floating_network_name": public.name},
    })  # fmt: skip
    if not workspace.exists():
        known = ["--workspace-path", home.root / "tempest-workspaces.yaml"]  # which would be in the user's home
        subprocess.run([TEMPEST, "init", *known, workspace], check=True, stdout=subprocess.DEVNULL)
    with (workspace / "etc/tempest.conf").open("w") as file:
        config.write(file)


@contextmanager
def second_image(cloud: Connection) -> Iterator[str]:
    """Have a second image, and give its id; one that a run before this has left is taken."""
    second = cloud.image.find_image(SECOND_IMAGE) or cloud.image.create_image(
        SECOND_IMAGE, disk_format="qcow2", container_format="bare", visibility="public", data=b"x" * 1024
    )
    try:
        yield second.id
    finally:
        cloud.image.delete_image(second.id)


@contextmanager
def shared_volumes(cloud: Connection) -> Iterator[None]:
    """Have a type of volumes that several servers may have, likewise."""
    shared = cloud.block_storage.find_type(SHARED_TYPE, ignore_missing=True) or cloud.block_storage.create_type(
        name=SHARED_TYPE, extra_specs={"multiattach": "<is> True"}
    )
    try:
        yield
    finally:
        cloud.block_storage.delete_type(shared.id)


@contextmanager
def snapshots_of_a_second(home: Home) -> Iterator[None]:
    """Have each snapshot take a second: some tests look at an image while it is made."""
    behaviour = services.behaviour(home)
    before = behaviour.read_text()
    behaviour.write_text('[{"operation": "snapshot", "delay": 1000}]')
    try:
        yield
    finally:
        behaviour.write_text(before)


def run(workspace: Path, regex: str) -> Outcomes:
    """Run tests two at a time, and show and gather how each went."""
    outcomes: Outcomes = {}
    command = [TEMPEST, "run", "--concurrency", "2", "--regex", regex]
    with subprocess.Popen(command, cwd=workspace, stdout=subprocess.PIPE, text=True, bufsize=1) as tempest:
        assert tempest.stdout
        for line in tempest.stdout:
            print(line, end="", flush=True)
            if told := re.match(r"\{\d+\} (.+?) (?:\[[\d.]+s\] )?\.\.\. (ok|FAILED|SKIPPED)(?:: ?(.*))?$", line):
                name, how, reason = told.groups()
                outcomes[_short(name)] = (how, reason or "")
    return outcomes


def _short(name: str) -> str:
    """Give a test's name without what all names have in common, and without its ids."""
    return re.sub(r"\[[^]]*\]$", "", name).replace("tempest.api.compute.", "")


def unexpected(outcomes: Outcomes) -> Iterator[str]:
    """Say what went otherwise than it should."""
    if not outcomes:
        yield "no test ran: none has a name that matches, or Tempest failed, as is said above"
    for name, (how, reason) in sorted(outcomes.items()):
        if how == "FAILED" and name not in NOT_YET:
            yield f"{name} failed"
        if how == "ok" and name in NOT_YET:
            yield f"{name} passes: take it out of NOT_YET"
        if how == "SKIPPED" and not any(re.search(known, reason) for known in SKIPS):
            yield f"{name} was skipped: {reason}"


def summary(outcomes: Outcomes) -> Iterator[str]:
    """Count what was run, and name what was not expected."""
    counted = Counter(how for how, _ in outcomes.values())
    yield f"\n{counted['ok']} passed, {counted['FAILED']} failed, {counted['SKIPPED']} skipped"
    for known, why in SKIPS.items():
        if number := sum(how == "SKIPPED" and bool(re.search(known, reason)) for how, reason in outcomes.values()):
            yield f"  {number} skipped: {why}"
    for name, why in NOT_YET.items():
        if outcomes.get(name, ("",))[0] == "FAILED":
            yield f"  {name} fails as yet: {why}"
    found = list(unexpected(outcomes))
    yield from ("\nNot expected:", *(f"  {line}" for line in found)) if found else ("All of it as expected.",)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
