"""Being another: what a message says of its sender."""

import pytest

from tests.fixtures.taken_over import NOBODY, own_object, request


@pytest.mark.sees("nothing: the message names no sender to answer")
@pytest.mark.parametrize("method", ["get_instances", "get_levels", "update_instance", "build_instances"])
def test_no_user_id(attacker, observe, mine, spec, method):
    """Leaves out its name, which the broker allows."""
    args = {
        "get_instances": {"host": attacker.host},
        "get_levels": {},
        "update_instance": {
            "instance": mine,
            "changes": own_object("InstanceChanges", progress=50),
            "operation": None,
        },
        "build_instances": {"instances": [mine], "request_spec": spec},
    }[method]
    with observe.listed(None, method):
        attacker.publish("conductor", request(method, args), user_id=NOBODY, reply_to=attacker.reply_queue)


@pytest.mark.parametrize(
    "claimed",
    [
        {"app_id": "conductor.ctl-1"},
        {"headers": {"x-mininova-origin": "conductor"}},
        {"headers": {"x-mininova-origin": "compute.host-2", "x-mininova-deliveries": 1}},
    ],
    ids=["app_id", "origin", "origin-of-a-retry"],
)
def test_a_name_in_another_place(attacker, observe, claimed):
    """Claims another name in the other places of a message: properties, headers."""
    with observe("host-2"):
        attacker.ask("get_instances", {"host": "host-2"}, properties=claimed)


def test_a_context_of_an_administrator(attacker, observe, theirs):
    """Says in the context that an administrator asks, or another project's member, or a service."""
    as_owner = {"_context_project_id": theirs["versioned_object.data"]["project_id"], "_context_is_admin": True}
    uuid = theirs["versioned_object.data"]["uuid"]
    with observe(uuid):
        attacker.ask("get_instance", {"uuid": uuid}, **as_owner)


def test_what_only_the_api_may(attacker, observe, mine, spec):
    """Has the conductor build instances, which only the api may."""
    with observe(mine["versioned_object.data"]["uuid"]):
        attacker.cast("build_instances", {"instances": [mine], "request_spec": spec})
