"""The identities of computes: which broker users there are, and the hosts that each may speak for.

``mininova-manage host`` writes them; the services read them to find out who a message is from.  With an identity is
recorded what the broker is to keep of its password, so that of several who change it the last one counts: an operator
who gives it another, and a conductor for which the compute renews it (conductor/credentials.py).
"""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, insert, select
from sqlalchemy import delete as delete_from
from sqlalchemy import update as update_of

from mininova import errors
from mininova.db.models import identities as table
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


class Password(msgspec.Struct, frozen=True):
    """The password of an identity.

    :param hashed: what the broker is to keep of it; "" where that is not known
    :param since: when the identity got it
    """

    hashed: str
    since: datetime


_insert = insert(table)
_all = select(table.c.name, table.c.hosts, table.c.created_at, table.c.rotated_at).order_by(table.c.name)


def record(
    tx: Connection, name: str, hosts: Sequence[str], now: datetime, password_hash: str | None = None
) -> Identity:
    """Record an identity; one that is known stands for these hosts from now on, and has a new password.

    :param password_hash: as the broker keeps it; None where it is not known
    :raises errors.HostHasIdentity: when another stands for one of them
    """
    check_free(tx, Identity(name, COMPUTE, tuple(hosts)), but=name)
    known = {"hosts": tuple(hosts), "rotated_at": now, "password_hash": password_hash}
    if not insert_new(tx, _insert, {"name": name, "created_at": now, **known}):
        tx.execute(update_of(table).where(table.c.name == name).values(known))
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


def password(tx: Connection, name: str, *, to_change: bool = False) -> Password | None:
    """Read what is recorded of the password of an identity; None when there is no such identity.

    :param to_change: hold the row until the transaction ends
    """
    query = select(table.c.password_hash, table.c.rotated_at).where(table.c.name == name)
    row = tx.execute(query.with_for_update() if to_change else query).first()
    return None if row is None else Password(row.password_hash or "", row.rotated_at)


def password_hashes(tx: Connection) -> dict[str, str]:
    """Give the hash of each password of which it is recorded, by the name of its identity."""
    rows = tx.execute(select(table.c.name, table.c.password_hash).where(table.c.password_hash.is_not(None)))
    return {row.name: row.password_hash for row in rows}


def change_password(tx: Connection, name: str, hashed: str, now: datetime) -> None:
    """Record that an identity is to have another password."""
    tx.execute(update_of(table).where(table.c.name == name).values(password_hash=hashed, rotated_at=now))


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
