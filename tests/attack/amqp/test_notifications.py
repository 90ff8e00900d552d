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


@pytest.mark.attack(refused_by="broker", sees="403 ACCESS_REFUSED")
@pytest.mark.parametrize("queue", ["notifications.info", "notifications.error", "notifications.info.billing"])
def test_read(attacker, refused, queue):
    """Reads the notifications of others."""
    with refused.by_broker("ACCESS_REFUSED", queue), attacker.channel() as channel:
        channel.basic_get(queue)


@pytest.mark.attack(refused_by="broker", sees="403 ACCESS_REFUSED")
@pytest.mark.parametrize("key", ["notifications.info", "notifications.*", "notifications.#"])
def test_listen(attacker, refused, key):
    """Makes a pool of its own that hears all notifications."""
    with refused.by_broker("ACCESS_REFUSED"), attacker.channel() as channel:
        channel.queue_declare(f"notifications.info.{attacker.host}", durable=True, auto_delete=False)
    with refused.by_broker("ACCESS_REFUSED", TOLD), attacker.channel() as channel:
        channel.queue_bind(f"compute.{attacker.host}", TOLD, key)


@pytest.mark.attack(refused_by="nobody", sees="nothing; but a listener sees who it was: `user_id` is `compute.host-1`")
@pytest.mark.parametrize("publisher", ["compute.host-2", "api.ctl-1", "conductor.ctl-1"])
def test_another_publisher(attacker, refused, listener, publisher):
    """Emits a notification whose `publisher_id` is another's."""
    body = _notification(publisher)
    attacker.publish("notifications.info", body)
    assert listener(body)[-1].properties["user_id"] == attacker.user
    refused.seen.add("nobody")


@pytest.mark.attack(
    refused_by="nobody", sees="nothing; but a listener sees that nobody vouches for it: it has no `user_id`"
)
def test_no_sender(attacker, refused, listener):
    """Emits a notification without saying who it is."""
    body = _notification("compute.host-2")
    attacker.publish("notifications.info", body, user_id=NOBODY)
    assert "user_id" not in listener(body)[-1].properties
    refused.seen.add("nobody")


@pytest.mark.attack(refused_by="broker", sees="406 PRECONDITION_FAILED")
def test_as_another(attacker, refused):
    """Emits a notification in the name of another broker user."""
    with refused.by_broker("PRECONDITION_FAILED"):
        attacker.publish("notifications.info", _notification("compute.host-2"), user_id="compute.host-2")


@pytest.mark.attack(refused_by="broker", sees="nothing: there is no queue for them")
@pytest.mark.parametrize(
    "key", ["notifications", "notifications.info.dead", "versioned_notifications.info", "notifications."]
)
def test_another_topic(attacker, refused, key):
    """Emits notifications under keys that are none."""
    assert not attacker.publish(key, json.dumps({}))
    refused.seen.add("broker")


@pytest.mark.attack(refused_by="broker", sees="403 ACCESS_REFUSED")
def test_where_the_services_notify(attacker, refused):
    """Emits a notification by the exchange by which the services do."""
    with refused.by_broker("ACCESS_REFUSED", TOLD):
        attacker.publish("notifications.info", _notification("api.ctl-1"), exchange=TOLD)
