"""Sending what a broker would not take, to receivers that must refuse it by themselves."""

from datetime import UTC, datetime

import pytest

from mininova.db import identities
from tests.fixtures.attack_in_memory import InMemory
from tests.fixtures.taken_over import EXCHANGE, NOBODY, request

in_memory = pytest.mark.parametrize("world", ["memory"], indirect=True)  # its broker knows no rights


@in_memory
@pytest.mark.parametrize("method", ["stop_instance", "delete_instance", "get_console_output"])
def test_another_compute(attacker, observe, world, theirs, method):
    """Commands another compute, or asks it for the console of a server there."""
    attacker.publish("compute.host-2", request(method, {"instance": theirs}), exchange=EXCHANGE)
    world.cloud.run()
    (last,) = [event for event in world.cloud.events if event.method == method and event.kind != "sent"][-1:]
    observe.handled({"kind": last.kind, "receiver": last.receiver}, last.kind == "replied")
    guests = world.cloud.computes["host-2"].driver.list_instance_uuids()
    assert world.servers["host-2"] in guests


@in_memory
def test_the_scheduler(attacker, observe, spec, servers):
    """Asks the scheduler to claim room on a host."""
    args = {"request_spec": spec, "instance_uuids": [servers[attacker.host]]}
    with observe(servers[attacker.host]):
        attacker.ask("select_destinations", args, key="scheduler", properties={"exchange": EXCHANGE})


@in_memory
@pytest.mark.parametrize("method", ["get_instances", "report_state", "build_instances"])
def test_the_conductor_without_a_name(attacker, observe, mine, spec, service, node, method):
    """Sends the conductor a request by the exchange of the services, and leaves out its name."""
    args = {
        "get_instances": {"host": attacker.host},
        "report_state": {"service": service, "node": node},
        "build_instances": {"instances": [mine], "request_spec": spec},
    }[method]
    with observe.listed(None, method):
        attacker.publish("conductor", request(method, args), exchange=EXCHANGE, user_id=NOBODY)


@in_memory
def test_a_user_that_is_not_recorded(world, observe):
    """Asks the conductor as a broker user that is not recorded, or not any more."""
    stranger = InMemory(world.cloud.broker, "compute.host-9", "host-9")
    with world.cloud.db.write() as tx:
        identities.record(tx, stranger.user, ("host-9",), datetime.now(UTC))
    world.cloud.pass_seconds(5.0)
    assert stranger.ask("get_levels", {}, properties={"exchange": EXCHANGE}).failure is None
    with world.cloud.db.write() as tx:
        identities.remove(tx, stranger.user)
    world.cloud.pass_seconds(5.0)
    with observe(by=stranger):
        stranger.ask("get_levels", {}, properties={"exchange": EXCHANGE})
