"""The default security groups of the first projects; every other project gets its own at its first look.

``mininova-manage bootstrap`` calls this, and may do so again.  The network needs no row: the configuration makes it.
"""

from collections.abc import Mapping

from oslo_config.cfg import ConfigOpts

from mininova.db.session import Database
from mininova.standins.neutron.db import security_groups


def bootstrap(
    db: Database, conf: ConfigOpts, passwords: Mapping[str, str | None], there: Mapping[str, str]
) -> list[tuple[str, str, bool]]:
    """Make what is missing.

    :param passwords: those of the first users, of which nothing is needed here
    :param there: what stand-ins before this one made → its id, the projects among them
    :return: of each group what it is, its id, and whether it was made now
    """
    projects = {id: name.removeprefix("project ") for name, id in there.items() if name.startswith("project ")}
    with db.read() as tx:
        known = {group.project_id for group in security_groups.search(tx, None) if group.default_of}
    found = security_groups.defaults(db, projects)
    return [
        (f"security group default of {name}", found[project], project not in known)
        for project, name in projects.items()
    ]
