"""What the connections to a MySQL share."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mininova.db.session import Database
from tests.fixtures.private_databases import MARIADB


def test_tls_is_prepared_once(empty_database: Callable[[str], Database]) -> None:
    """PyMySQL reads the authorities that the system trusts for the first connection, and for no other."""
    db = empty_database(MARIADB)
    with db.read() as one, db.write() as other:
        assert one.connection.driver_connection.ctx is other.connection.driver_connection.ctx


def test_an_authority_that_the_url_names(migrated: Callable[[str], str], tmp_path: Path) -> None:
    """It is read, and not the one context that all share which the URL says nothing to."""
    db = Database(f"{migrated(MARIADB)}?ssl_ca={tmp_path / 'not-there.pem'}", connect_retry=0)
    with pytest.raises(FileNotFoundError), db.read():
        pass
    db.close()
