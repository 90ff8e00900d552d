"""Key pairs: the public halves of the keys that users log in to their guests with.  Only the api calls this."""

from datetime import UTC, datetime

import msgspec
from sqlalchemy import Connection, func, insert, select
from sqlalchemy import delete as delete_from

from mininova import errors
from mininova.db.models import key_pairs as table
from mininova.db.pages import page
from mininova.db.rows import Rows, insert_new


class Keypair(msgspec.Struct, frozen=True, kw_only=True):
    """A public key under the name that its user gave it.

    :param type: ``ssh`` or ``x509``
    :param public_key: as the user sent it
    """

    user_id: str
    name: str
    fingerprint: str
    public_key: str
    type: str = "ssh"
    id: int = 0
    created_at: datetime | None = None


ROWS = Rows(Keypair, table, key="name")


def create(tx: Connection, keypair: Keypair) -> Keypair:
    """Keep a new key pair.

    :raises errors.KeyPairExists: when the user has one of this name
    """
    values = {**ROWS.values(keypair), "created_at": datetime.now(UTC)}
    if not insert_new(tx, insert(table), values):
        raise errors.KeyPairExists(name=keypair.name)
    return get(tx, keypair.user_id, keypair.name)


def get(tx: Connection, user_id: str, name: str) -> Keypair:
    """Read one key pair of a user.

    :raises errors.KeypairNotFound: when there is none
    """
    keypair = ROWS.first(tx.execute(ROWS.one.where(table.c.user_id == user_id), {"which": name}))
    if keypair is None:
        raise errors.KeypairNotFound(name=name, user_id=user_id)
    return keypair


def search(tx: Connection, user_id: str, *, limit: int | None = None, marker: str | None = None) -> list[Keypair]:
    """List the key pairs of a user by name.

    :param marker: the name of the last one of the page before
    :raises errors.InvalidInput: when the user has none of the marker's name
    """
    own = table.c.user_id == user_id
    query = page(
        tx, ROWS.select.where(own), table.c.name, sort=(("name", "asc"),), marker=marker, among=own, limit=limit
    )
    return ROWS.all(tx.execute(query))


def count(tx: Connection, user_id: str) -> int:
    """Count the key pairs of a user."""
    return tx.execute(select(func.count()).where(table.c.user_id == user_id)).scalar_one()


def delete(tx: Connection, user_id: str, name: str) -> None:
    """Forget a key pair of a user; the guests that were given it keep it.

    :raises errors.KeypairNotFound: when there is none
    """
    query = delete_from(table).where(ROWS.which, table.c.user_id == user_id)
    if tx.execute(query, {"which": name}).rowcount == 0:
        raise errors.KeypairNotFound(name=name, user_id=user_id)
