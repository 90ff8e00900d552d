"""What a service sees while its way to the database is half-open: no byte comes, and no end of the connection."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import make_url, text
from stack import ports
from stack.network import HALF_OPEN, Link, Network

from mininova import errors
from mininova.db import flavors
from mininova.db.session import Database
from tests.fixtures.private_databases import MARIADB, POSTGRESQL

pytestmark = pytest.mark.parametrize("db", [POSTGRESQL, MARIADB], indirect=True)

WAY = "mininova-conductor"
LIMIT_S = 2.0  # the least that libpq knows
SLACK_S = 10.0  # of a busy machine


@pytest.fixture
def network(db):
    """Give a way to the server that can be half-open."""
    made = Network({WAY: Link(ports.pick(), db.engine.url.port)})
    made.start()
    yield made
    made.stop()


@pytest.fixture
def far(db, network):
    """Give the database at the other end of it, as a service has it."""
    url = make_url(db.engine.url).set(port=network.links[WAY].port, host=ports.LOOPBACK)
    made = Database(url.render_as_string(hide_password=False), connect_retry=0, answer_timeout=LIMIT_S)
    yield made
    made.close()


def read(database):
    """Count the flavors."""
    with database.read() as tx:
        return len(flavors.search(tx))


def test_no_thread_waits_for_a_silent_server(far, network, flavor):
    """Those that read and those that write get DatabaseAway within the limit, and work again when the way is mended."""

    def write():
        with far.write() as tx:
            flavors.create(tx, flavor)

    both = (lambda: read(far), write)
    read(far)
    with far.write() as tx:  # so that one connection of each pool is good, and then silent
        tx.execute(text("SELECT 1"))
    network.suffer(WAY, HALF_OPEN)
    began = time.monotonic()

    with ThreadPoolExecutor(6) as threads:
        failed = [asked.exception() for asked in [threads.submit(one) for one in both * 3]]

    assert {type(error) for error in failed} == {errors.DatabaseAway}
    assert time.monotonic() - began < 3 * LIMIT_S + SLACK_S
    network.suffer(WAY, None)
    write()
    assert read(far) == 1


def test_the_locks_of_a_transaction_that_is_not_heard_of_are_freed(db, far, network, flavor):
    """The server ends it, and what waited for its row goes on."""
    with db.write() as tx:
        flavors.create(tx, flavor)
    rename = text("UPDATE flavors SET name = :name")
    locked, lost = threading.Event(), threading.Event()

    def hold():
        with far.write() as tx:
            tx.execute(rename, {"name": "lost"})
            network.suffer(WAY, HALF_OPEN)
            locked.set()
            lost.wait()

    with ThreadPoolExecutor(1) as thread:
        held = thread.submit(hold)
        locked.wait()
        with db.write() as tx:
            tx.execute(rename, {"name": "kept"})
        lost.set()
        assert isinstance(held.exception(), errors.DatabaseAway)
    with db.read() as tx:
        assert tx.execute(text("SELECT name FROM flavors")).scalar() == "kept"
