"""What users see while the api's way to the database is half-open: 503 soon, and no one waits for the others."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import make_url
from stack import ports
from stack.network import HALF_OPEN, Link, Network

from mininova.service.concurrency import EVENTLET
from tests.fixtures.private_databases import MARIADB, POSTGRESQL
from tests.fixtures.rest_process import SERVERS, rest_process

WAY = "mininova-api"


@pytest.fixture(params=[POSTGRESQL, MARIADB])
def network(request, database_server):
    """Give a way to a database server that can be half-open."""
    made = Network({WAY: Link(ports.pick(), database_server(request.param).port)})
    made.start()
    yield made
    made.stop()


@pytest.fixture
def silent_api(request, network, database_server, tmp_path):
    """Run the REST APIs behind it, on green threads, which share one of the system's."""
    kind = request.node.callspec.params["network"]
    url = make_url(database_server(kind).create("silent")).set(host=ports.LOOPBACK, port=network.links[WAY].port)
    where = url.render_as_string(hide_password=False)
    settings = f"[database]\nconnection = {where}\nconnect_retry = 0\nanswer_timeout = 2\n"
    with rest_process(EVENTLET, tmp_path, settings) as running:
        yield running


def test_a_silent_database(silent_api, network):
    """Each request that needs it gets 503 and when to try again, others are answered, and it ends with the silence."""
    token = silent_api.token()
    silent_api.served(token)
    network.suffer(WAY, HALF_OPEN)

    with ThreadPoolExecutor(5) as users:
        asked = [users.submit(silent_api.ask, "GET", SERVERS, X_Auth_Token=token) for _ in range(5)]
        status, _, _ = silent_api.ask("GET", "/compute")
        assert not any(each.done() for each in asked)
        answers = [each.result() for each in asked]

    assert status == 200
    assert [(status, headers["Retry-After"]) for status, headers, _ in answers] == [(503, "5")] * 5
    network.suffer(WAY, None)
    silent_api.served(token)
