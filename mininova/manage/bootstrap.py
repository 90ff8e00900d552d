"""mininova-manage bootstrap: the first users, projects, flavors and the first image of a new cloud.

It can be run again at any time: what is there stays as it is.
"""

import argparse
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from oslo_config.cfg import ConfigOpts

from mininova import errors
from mininova.db import flavors
from mininova.db import identities as recorded
from mininova.db.session import Database
from mininova.manage.database import Tx, opened
from mininova.objects import Flavor
from mininova.standins.glance import bootstrap as first_image
from mininova.standins.glance.db import images
from mininova.standins.keystone import bootstrap as identities
from mininova.standins.keystone.db import identity
from mininova.standins.keystone.db.identity import Kept, Project, User
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
    passwords = {"admin": parsed.admin_password, "demo": parsed.demo_password}
    with opened(conf) as db:
        made_here = *_users(db, conf, passwords), *_flavors(db), *_images(db, conf), *_computes(db, parsed.compute)
        for thing, made in made_here:
            print(f"{'made' if made else 'was there':9}  {thing}")


def _users(db: Database, conf: ConfigOpts, passwords: dict[str, str | None]) -> Iterator[tuple[str, bool]]:
    with db.read() as tx:
        there = {name for name in passwords if _of_default_domain(tx, User, name)}
    for name, password in passwords.items():
        if name not in there and not password:
            raise errors.ConfigError(
                problem=f"the user {name} is to be made and has no password: give it as --{name}-password, "
                f"or better in the environment as MININOVA_{name.upper()}_PASSWORD, which nobody else can see"
            )
    identities.bootstrap(db, conf, {name: password for name, password in passwords.items() if password})
    yield from ((f"user {name}", name not in there) for name in passwords)


def _of_default_domain(tx: Tx, kind: type[Kept], name: str) -> Kept | None:
    return identity.find(tx, kind, {"name": name, "domain_id": identities.DEFAULT_DOMAIN["id"]})


def _flavors(db: Database) -> Iterator[tuple[str, bool]]:
    with db.write() as tx:
        known = flavors.search(tx, is_public=None)
        there = {flavor.flavor_id for flavor in known} | {flavor.name for flavor in known}
        for flavor in FLAVORS:
            taken = flavor.flavor_id in there or flavor.name in there
            if not taken:
                flavors.create(tx, flavor)
            yield f"flavor {flavor.name}", not taken


def _images(db: Database, conf: ConfigOpts) -> Iterator[tuple[str, bool]]:
    with db.read() as tx:
        there = {image.id for image in images.search(tx)}
        owner = _of_default_domain(tx, Project, "admin")
    image = first_image.bootstrap(db, conf, owner=owner.id if owner else None)
    yield f"image {image.name}", image.id not in there


def _computes(db: Database, named: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Record computes whose broker users are there already, as in a local stack.

    :raises errors.InvalidInput: a name that is none
    """
    try:
        wanted = [compute(name, host_lists.read(hosts)) for name, _, hosts in (each.partition("=") for each in named)]
    except ValueError as error:
        raise errors.InvalidInput(reason=error) from None
    with db.write() as tx:
        for identity in wanted:
            known = recorded.get(tx, identity.name) == identity
            if not known:
                recorded.record(tx, identity.name, identity.hosts, datetime.now(UTC))
            yield f"compute {identity.process}", not known
