"""The identities of computes: which broker users there are, and the hosts that each may speak for.

``mininova-manage host`` writes them; the services read them to find out who a message is from.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, insert, select
from sqlalchemy import delete as delete_from
from sqlalchemy import update as update_of

from mininova import errors
from mininova.db.models.compute import identities as table
from mininova.db.rows import insert_new
from mininova.db.session import Database
from mininova.trust.identities import COMPUTE, Identity


class Recorded(msgspec.Struct, frozen=True):
    """What is known of an identity.

    :param rotated_at: when it got the password that it has
    """

    identity: Identity
    created_at: datetime
    rotated_at: datetime


_insert = insert(table)
_all = select(table.c.name, table.c.hosts, table.c.created_at, table.c.rotated_at).order_by(table.c.name)


def record(tx: Connection, name: str, hosts: Sequence[str], now: datetime) -> Identity:
    """Record an identity; one that is known stands for these hosts from now on, and has a new password.

    :raises errors.HostHasIdentity: when another stands for one of them
    """
    check_free(tx, Identity(name, COMPUTE, tuple(hosts)), but=name)
    values = {"name": name, "hosts": tuple(hosts), "created_at": now, "rotated_at": now}
    if not insert_new(tx, _insert, values):
        tx.execute(update_of(table).where(table.c.name == name).values(hosts=tuple(hosts), rotated_at=now))
    return Identity(name, COMPUTE, tuple(hosts))


def check_free(tx: Connection, identity: Identity, but: str | None = None) -> None:
    """Make sure that no other identity has this name, or stands for one of its hosts.

    :param but: an identity that does not count
    :raises errors.HostHasIdentity: when one does
    """
    wanted = {identity.process, *identity.hosts}
    for other in search(tx):
        if other.name != but and (taken := wanted & {other.process, *other.hosts}):
            raise errors.HostHasIdentity(name=other.name, host=min(taken))


def get(tx: Connection, name: str) -> Identity | None:
    """Find an identity; None when there is none."""
    hosts = tx.execute(select(table.c.hosts).where(table.c.name == name)).scalar()
    return None if hosts is None else Identity(name, COMPUTE, hosts)


def search(tx: Connection) -> list[Identity]:
    """List the identities, by name."""
    return [known.identity for known in recorded(tx)]


def reader(db: Database) -> Callable[[float | None], list[Identity]]:
    """Give a function that lists the identities in a transaction of its own, as trust.directory asks for it."""

    def read(patience: float | None) -> list[Identity]:
        with db.read(patience=patience) as tx:
            return search(tx)

    return read


def recorded(tx: Connection) -> list[Recorded]:
    """List the identities by name, with what is known of each."""
    return [
        Recorded(Identity(name, COMPUTE, hosts), created_at, rotated_at)
        for name, hosts, created_at, rotated_at in tx.execute(_all)
    ]


def remove(tx: Connection, name: str) -> None:
    """Forget an identity: a message that is still sent in its name is refused.

    :raises errors.IdentityNotFound: when there is none
    """
    if tx.execute(delete_from(table).where(table.c.name == name)).rowcount == 0:
        raise errors.IdentityNotFound(name=name)
