"""Tokens that open an instance's console for a short time; the database has only their hashes.

The api makes a token and gives it to the user; the console proxy looks here what it opens.  A token dies by itself: no
operation has to clear any up, so none can forget to.  It opens nothing when its time is over, when its instance is
deleted or is not on the host any more, and when the instance has begun to migrate since.
"""

from datetime import datetime, timedelta
from hashlib import sha256

import msgspec
from sqlalchemy import Connection, and_, bindparam, delete, exists, false, insert, select

from mininova.db.models import console_auth_tokens as table
from mininova.db.models import instances, migrations
from mininova.db.rows import Rows
from mininova.objects import Console, Instance

CLEARED = 100  # expired ones, at most, when one is made


class ConsoleAuthToken(msgspec.Struct, frozen=True, kw_only=True):
    """What a token opens.

    :param host: the address at which the console is, likewise ``port``
    """

    instance_uuid: str
    console_type: str
    host: str
    port: int
    internal_access_path: str


ROWS = Rows(ConsoleAuthToken, table, key="token_hash")

_moved = exists().where(
    migrations.c.instance_uuid == table.c.instance_uuid, migrations.c.created_at > table.c.created_at
)
_still_there = and_(
    instances.c.uuid == table.c.instance_uuid,
    instances.c.deleted == false(),
    instances.c.host == table.c.instance_host,
)
_valid = ROWS.one.where(table.c.expires_at > bindparam("now"), exists().where(_still_there), ~_moved)
_expired = select(table.c.token_hash).where(table.c.expires_at <= bindparam("now")).limit(CLEARED)
_clear = delete(table).where(table.c.token_hash.in_(bindparam("hashes", expanding=True)))
_insert = insert(table)


def authorize(
    tx: Connection, token: str, instance: Instance, console_type: str, console: Console, now: datetime, ttl: float
) -> None:
    """Have a token open a console, and forget some that have expired.

    :param ttl: for how many seconds
    """
    if hashes := sorted(tx.execute(_expired, {"now": now}).scalars()):
        tx.execute(_clear, {"hashes": hashes})
    opens = {"host": console.host, "port": console.port, "internal_access_path": console.internal_access_path}
    whose = {"instance_uuid": instance.uuid, "instance_host": instance.host, "console_type": console_type}
    when = {"created_at": now, "expires_at": now + timedelta(seconds=ttl)}
    tx.execute(_insert, {"token_hash": _hash(token), **whose, **opens, **when})


def validate(tx: Connection, token: str, now: datetime) -> ConsoleAuthToken | None:
    """Tell what a token opens; None when that is nothing."""
    return ROWS.first(tx.execute(_valid, {"which": _hash(token), "now": now}))


def _hash(token: str) -> str:
    return sha256(token.encode()).hexdigest()
