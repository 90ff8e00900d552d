"""The type of volumes for which none is named.  ``mininova-manage bootstrap`` calls this, and may do so again."""

from collections.abc import Mapping

from oslo_config.cfg import ConfigOpts

from mininova.db.session import Database
from mininova.standins.cinder.db.things import TYPES
from mininova.standins.cinder.volumes import DEFAULT_TYPE


def bootstrap(
    db: Database, conf: ConfigOpts, passwords: Mapping[str, str | None], there: Mapping[str, str]
) -> list[tuple[str, str, bool]]:
    """Make the type, unless it is there.

    :param passwords: those of the first users, of which nothing is needed here
    :param there: what stand-ins before this one made, of which nothing is needed either
    :return: what it is, its id, and whether it was made now
    """
    with db.write() as tx:
        found = [each for each in TYPES.search(tx) if each.name == DEFAULT_TYPE]
        type_ = found[0] if found else TYPES.create(tx, {"name": DEFAULT_TYPE, "description": "Default Volume Type"})
    return [(f"volume type {DEFAULT_TYPE}", type_.id, not found)]
