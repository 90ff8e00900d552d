"""The default security groups of the first projects, and a network that leads out.

``mininova-manage bootstrap`` calls this, and may do so again.  Every other project gets its group at its first look.
The flat network needs no row: the configuration makes it.
"""

from collections.abc import Mapping

from oslo_config.cfg import ConfigOpts

from mininova.db.session import Database
from mininova.standins.neutron.db import security_groups
from mininova.standins.neutron.db.things import NETWORKS, SUBNETS


def bootstrap(
    db: Database, conf: ConfigOpts, passwords: Mapping[str, str | None], there: Mapping[str, str]
) -> list[tuple[str, str, bool]]:
    """Make what is missing.

    :param passwords: those of the first users, of which nothing is needed here
    :param there: what stand-ins before this one made → its id, the projects among them
    :return: of each what it is, its id, and whether it was made now
    """
    projects = {id: name.removeprefix("project ") for name, id in there.items() if name.startswith("project ")}
    with db.read() as tx:
        known = {group.project_id for group in security_groups.search(tx, None) if group.default_of}
    found = security_groups.defaults(db, projects)
    groups = [
        (f"security group default of {name}", found[project], project not in known)
        for project, name in projects.items()
    ]
    return [_external(db), *groups]


def _external(db: Database) -> tuple[str, str, bool]:
    """Make a network that leads out, with a range that is for documentation, unless there is one."""
    with db.write() as tx:
        for network in NETWORKS.search(tx):
            if network.external:
                return f"external network {network.name}", network.id, False
        network = NETWORKS.create(tx, {"project_id": "", "name": "public", "external": True, "mtu": 1500})
        range_ = {"ip_version": 4, "cidr": "203.0.113.0/24", "gateway_ip": "203.0.113.1", "enable_dhcp": False}
        pools = (("203.0.113.2", "203.0.113.254"),)
        whose = {"network_id": network.id, "project_id": "", "name": "public-subnet"}
        SUBNETS.create(tx, {**whose, **range_, "allocation_pools": pools})
    return f"external network {network.name}", network.id, True
