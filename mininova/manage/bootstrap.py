"""mininova-manage bootstrap: the first flavors of a new cloud, and what its stand-ins need: users, projects, an image.

It can be run again at any time: what is there stays as it is.
"""

import argparse
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from oslo_config.cfg import ConfigOpts

from mininova import errors
from mininova.db import flavors, identities
from mininova.db.session import Database
from mininova.flow import output
from mininova.manage import database, standins
from mininova.manage.database import opened
from mininova.manage.standins import Made
from mininova.objects import Flavor
from mininova.trust import host_lists
from mininova.trust.identities import compute

#                 id   name         vcpus, MiB of memory, GiB of disk
FLAVORS = tuple(
    Flavor(flavor_id=flavor_id, name=name, vcpus=vcpus, memory_mb=memory_mb, root_gb=root_gb)
    for flavor_id, name, vcpus, memory_mb, root_gb in (
        ("1", "m1.tiny", 1, 512, 1),
        ("2", "m1.small", 1, 2048, 20),
        ("3", "m1.medium", 2, 4096, 40),
        ("4", "m1.large", 4, 8192, 80),
        ("5", "m1.xlarge", 8, 16384, 160),
    )
)


def run(conf: ConfigOpts, parsed: argparse.Namespace) -> None:
    """Make what a new cloud needs, and say of each thing whether it was made or was there.

    :raises errors.ConfigError: when a user is to be made and has no password
    """
    if parsed.upgrade:
        database.upgrade(conf, parsed)
    passwords = {"admin": parsed.admin_password, "demo": parsed.demo_password}
    if parsed.nova_password:  # a user for [keystone_authtoken], which few clouds need
        passwords["nova"] = parsed.nova_password
    named = standins.installed(conf)
    with opened(conf, *(each.schema for each in named)) as db:
        there: dict[str, str] = {}
        for each in named:
            there |= _told(each.bootstrap(db, conf, passwords, there))
        _told([*_flavors(db), *_computes(db, parsed.compute)])


def _told(made: Iterable[Made]) -> dict[str, str]:
    """Print what was made or was there, and give it with its ids."""
    ids = {}
    for thing, thing_id, new in made:
        output.say(f"{'made' if new else 'was there':9}  {thing}")
        ids[thing] = thing_id
    return ids


def _flavors(db: Database) -> Iterator[Made]:
    with db.write() as tx:
        known = flavors.search(tx, is_public=None)
        there = {flavor.flavor_id for flavor in known} | {flavor.name for flavor in known}
        for flavor in FLAVORS:
            taken = flavor.flavor_id in there or flavor.name in there
            if not taken:
                flavors.create(tx, flavor)
            yield f"flavor {flavor.name}", flavor.flavor_id, not taken


def _computes(db: Database, named: Iterable[str]) -> Iterator[Made]:
    """Record computes whose broker users are there already, as in a local stack.

    :raises errors.InvalidInput: when a name or a list of hosts is none
    """
    try:
        wanted = [compute(name, host_lists.read(hosts)) for name, _, hosts in (each.partition("=") for each in named)]
    except ValueError as error:
        raise errors.InvalidInput(reason=error) from None
    with db.write() as tx:
        for identity in wanted:
            known = identities.get(tx, identity.name) == identity
            if not known:
                identities.record(tx, identity.name, identity.hosts, datetime.now(UTC))
            yield f"compute {identity.process}", identity.name, not known
