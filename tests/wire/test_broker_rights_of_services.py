"""The rights of the services and of the operator's tools on a real broker, RabbitMQ and Qpid."""

import amqp
import pytest

from mininova.trust import identities
from tests.fixtures.rights_bench import (
    ANSWERS,
    FLOW,
    FROM_IT,
    HEX,
    LANE,
    OWN_REPLIES,
    REPLIES,
    SERVICES,
    TOLD,
    Broker,
    E,
    Try,
    bind,
    declare,
    either,
    publish,
    qpid,
    rabbit,
)

__all__ = ["either", "qpid", "rabbit"]


@pytest.mark.parametrize(
    ("user", "tried"),
    [
        ("api", publish(E, "conductor")),
        ("api", publish(E, "compute.host-1")),
        ("api", publish(TOLD, "notifications.info")),
        ("api", declare("notifications.error")),
        ("api", declare(ANSWERS)),
        ("api", bind(ANSWERS, LANE, ANSWERS.partition(".from.")[0])),
        ("api", lambda channel: channel.basic_get(ANSWERS)),
        ("scheduler", declare("scheduler")),
        ("scheduler", publish(REPLIES, f"reply_conductor.ctl-1_{HEX}")),
        ("conductor", declare("conductor.ctl-2")),
        ("conductor", lambda channel: channel.exchange_declare(LANE, "topic", durable=True, auto_delete=False)),
        ("conductor", declare(FROM_IT)),
        ("conductor", bind(FROM_IT, LANE, "conductor")),
        ("conductor", lambda channel: channel.basic_get(FROM_IT)),
        ("conductor", publish(E, "scheduler")),
        ("conductor", publish(E, "compute.host-1.example")),
        ("conductor", publish(E, "conductor.dead")),
        ("conductor", publish(REPLIES, OWN_REPLIES)),
        ("manage", lambda channel: channel.basic_get("conductor.dead")),
        ("manage", lambda channel: channel.basic_get("compute.host-1.dead")),
        ("manage", publish(E, "compute.host-1")),
        ("manage", declare(f"reply_manage.ctl-1_{HEX}.from.compute.host-1")),
        ("manage", bind(f"reply_manage.ctl-1_{HEX}.from.compute.host-1", LANE, f"reply_manage.ctl-1_{HEX}")),
        ("manage", declare("notifications.info.billing")),
        ("manage", declare(f"reply_billing_{HEX}")),
        ("manage", bind("notifications.info", TOLD, "notifications.info")),
        ("manage", publish("conductor_fanout", "")),
        ("flow", declare(f"reply_flow.ctl-1_{HEX}")),
        ("flow", declare(f"flow_collector_{HEX}")),
        ("flow", bind("notifications.info", FLOW, "events")),
    ],
)
def test_a_service_may_do_its_work(either: Broker, user: str, tried: Try):
    """Each service can do all its work."""
    assert either.tries(user, tried) == ""


@pytest.mark.parametrize(
    ("user", "tried"),
    [
        ("api", lambda channel: channel.basic_get("conductor")),
        ("api", lambda channel: channel.basic_get("compute.host-1")),
        ("api", lambda channel: channel.basic_get("notifications.info")),
        ("api", publish(E, "scheduler")),
        ("api", publish(LANE, "conductor")),
        ("conductor", publish(LANE, "notifications.info")),
        ("manage", publish(LANE, "conductor")),
        ("api", publish(REPLIES, f"reply_conductor.ctl-1_{HEX}")),
        ("scheduler", publish(E, "conductor")),
        ("scheduler", publish(E, "compute.host-1")),
        ("scheduler", publish(REPLIES, f"reply_api.ctl-1_{HEX}")),
        ("scheduler", lambda channel: channel.basic_get(f"reply_conductor.ctl-1_{HEX}")),
        ("conductor", lambda channel: channel.basic_get("compute.host-1")),
        ("conductor", lambda channel: channel.basic_get("scheduler")),
        ("manage", lambda channel: channel.queue_delete("conductor.dead")),
        ("flow", publish(REPLIES, f"reply_api.ctl-1_{HEX}")),
    ],
)
def test_a_service_may_do_no_more(either: Broker, user: str, tried: Try):
    """None can read another's queues, or answer in its place."""
    assert "refused" in either.tries(user, tried)


@pytest.mark.parametrize(
    ("user", "tried"),
    [
        ("scheduler", bind("scheduler", LANE, "conductor")),
        ("manage", lambda channel: channel.basic_get("conductor")),
        ("manage", lambda channel: channel.basic_get(FROM_IT)),
        ("manage", lambda channel: channel.basic_get(ANSWERS)),
        ("manage", lambda channel: channel.basic_get(f"reply_conductor.ctl-1_{HEX}")),
        ("manage", declare(f"reply_compute.host-1_{HEX}")),
    ],
)
def test_rabbitmq_tells_the_operator_from_the_services(rabbit: Broker, user: str, tried: Try):
    """Qpid, which compares beginnings of names, lets the operator's tools read the queues of services and computes."""
    assert "refused" in rabbit.tries(user, tried)


@pytest.mark.parametrize("identity", SERVICES, ids=lambda identity: identity.name)
def test_no_service_uses_the_default_exchange(either: Broker, identity: identities.Identity):
    """The default exchange puts a message into any queue by its name."""
    assert "refused" in either.tries(identity.name, publish("", "compute.host-1"))


def test_there_is_no_guest(either: Broker):
    """RabbitMQ's own default user is not made."""
    with pytest.raises((amqp.exceptions.AccessRefused, amqp.exceptions.NotAllowed)):
        either.channel("guest")
