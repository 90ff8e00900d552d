"""Notifications: those of others, and its own."""

import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from tests.fixtures.taken_over import NOBODY, TOLD, enveloped


def _notification(publisher_id, event_type="compute.instance.delete.end"):
    return enveloped(
        {
            "message_id": str(uuid4()), "publisher_id": publisher_id, "event_type": event_type, "priority": "INFO",
            "payload": {"instance_id": "another's"}, "_unique_id": uuid4().hex,
            "timestamp": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),
        }
    )  # fmt: skip


@pytest.mark.parametrize("queue", ["notifications.info", "notifications.error", "notifications.info.billing"])
def test_read(attacker, observe, queue):
    """Reads the notifications of others."""
    with observe(queue), attacker.channel() as channel:
        channel.basic_get(queue)


@pytest.mark.parametrize("key", ["notifications.info", "notifications.*", "notifications.#"])
def test_listen(attacker, observe, key):
    """Makes a pool of its own that hears all notifications."""
    with observe(), attacker.channel() as channel:
        channel.queue_declare(f"notifications.info.{attacker.host}", durable=True, auto_delete=False)
    with observe(TOLD), attacker.channel() as channel:
        channel.queue_bind(f"compute.{attacker.host}", TOLD, key)


@pytest.mark.sees("nothing; but a listener sees who it was: `user_id` is `compute.host-1`")
@pytest.mark.parametrize("publisher", ["compute.host-2", "api.ctl-1", "conductor.ctl-1"])
def test_another_publisher(attacker, observe, listener, publisher):
    """Emits a notification whose `publisher_id` is another's."""
    body = _notification(publisher)
    with observe():
        attacker.publish("notifications.info", body)
    assert listener(body)[-1].properties["user_id"] == attacker.user


@pytest.mark.sees("nothing; but a listener sees that the broker does not vouch for it: it has no `user_id`")
def test_no_sender(attacker, observe, listener):
    """Emits a notification without saying who it is."""
    body = _notification("compute.host-2")
    with observe():
        attacker.publish("notifications.info", body, user_id=NOBODY)
    assert "user_id" not in listener(body)[-1].properties


def test_as_another(attacker, observe):
    """Emits a notification in the name of another broker user."""
    with observe():
        attacker.publish("notifications.info", _notification("compute.host-2"), user_id="compute.host-2")


@pytest.mark.sees("nothing: there is no queue for them")
@pytest.mark.parametrize(
    "key", ["notifications", "notifications.info.dead", "versioned_notifications.info", "notifications."]
)
def test_another_topic(attacker, observe, key):
    """Emits notifications under keys that are none."""
    with observe():
        attacker.publish(key, json.dumps({}))


def test_where_the_services_notify(attacker, observe):
    """Emits a notification by the exchange by which the services do."""
    with observe(TOLD):
        attacker.publish("notifications.info", _notification("api.ctl-1"), exchange=TOLD)
