"""Being another broker user."""

import pytest

from tests.fixtures import taken_over
from tests.fixtures.taken_over import request


@pytest.mark.parametrize(
    "user_id", ["conductor", "api", "scheduler", "manage", "compute.host-2", "Compute.host-1", "guest"]
)
def test_anothers_user_id(attacker, observe, user_id):
    """Publishes in the name of another broker user."""
    with observe(f"'{user_id}'"):
        attacker.publish("conductor", request("get_instances", {"host": "host-2"}), user_id=user_id)


def test_an_empty_user_id(attacker, observe):
    """Publishes with an empty user id, which is no name."""
    with observe(), attacker.channel() as channel:
        message = taken_over.amqp.Message(request("get_levels", {}), user_id="")
        channel.basic_publish(message, exchange=attacker.lane, routing_key="conductor")


@pytest.mark.parametrize(
    "user", ["conductor", "api", "scheduler", "manage", "flow", "compute.host-2", "guest", "mininova"]
)
def test_log_in_as_another(attacker, stack, logs, observe, user):
    """Logs in as another user, with its own password and with those that are often left as they were."""
    own = taken_over.unquote(taken_over.urlsplit(attacker.url).password)
    for password in (own, "guest", user, ""):
        with observe(caller=user):
            taken_over.connect(attacker.url, userid=user, password=password)


def test_another_virtual_host(attacker, observe):
    """Goes to another virtual host of the broker."""
    with observe():
        taken_over.connect(attacker.url, virtual_host="other")
