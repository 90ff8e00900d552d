"""The notifier that the settings ask for."""

import pytest

from mininova import conf, errors, rpc
from mininova.notifications import publisher
from mininova.rpc.transports.memory import MemoryBroker, MemoryTransport

DRIVER = "oslo_messaging_notifications.driver"
RULES = "oslo_messaging_notifications.routing_config"
UPDATE = {"old_state": "active", "state": "active"}


@pytest.fixture
def broker():
    return MemoryBroker()


@pytest.fixture
def make(broker):
    """Make a notifier from settings."""

    def make(**settings):
        peer = rpc.Peer(MemoryTransport(broker), name="compute.host-1")
        return publisher.make_notifier(conf.for_tests("compute", **settings), peer, "compute.host-1")

    return make


def queues(broker):
    """Count the messages in each queue."""
    return {name: len(queue.messages) for name, queue in broker.queues.items()}


def test_notifications_go_to_the_broker(make, broker):
    """Messages to the broker are the default."""
    notifier = make()
    notifier.info({}, "compute.instance.create.end", {})
    assert notifier.flush(20)
    assert queues(broker) == {"notifications.info": 1}
    notifier.stop(20)


def test_topics_and_drivers_are_the_settings(make, broker, caplog):
    """A setting may name several."""
    caplog.set_level("INFO")
    notifier = make(**{DRIVER: ["messaging", "log"], "oslo_messaging_notifications.topics": ["one", "two"]})
    notifier.error({}, "compute.instance.create.error", {})
    assert notifier.flush(20)
    assert queues(broker) == {"one.error": 1, "two.error": 1}
    assert [record.name for record in caplog.records] == ["mininova.notification.compute.instance.create.error"]
    notifier.stop(20)


def test_the_file_routes(make, caplog, tmp_path):
    """Rules in the file choose the drivers."""
    caplog.set_level("INFO")
    rules = tmp_path / "routing.yaml"
    rules.write_text("errors: {log: {accepted_priorities: [error]}}")
    notifier = make(**{DRIVER: ["routing"], RULES: str(rules)})
    notifier.info({}, "compute.instance.create.end", {})
    notifier.error({}, "compute.instance.create.error", {})
    assert [record.name for record in caplog.records] == ["mininova.notification.compute.instance.create.error"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "cannot be read: No such file"),
        ("errors: {pigeon: {}}", "pigeon is no notification driver; there are log, messaging, "),
        ("errors: [log]", "rule errors is a mapping"),
        ("errors: {", "is no YAML"),
    ],
)
def test_rules_that_make_no_sense_keep_a_service_from_starting(make, tmp_path, text, said):
    """The error has the setting and the file."""
    path = tmp_path / "routing.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(errors.ConfigError, match=said) as refused:
        make(**{DRIVER: ["routing"], RULES: str(path)})
    assert f"[oslo_messaging_notifications] routing_config = {path}" in str(refused.value)


def test_a_driver_that_does_not_exist_keeps_a_service_from_starting(make):
    """The error has the setting, and the known drivers."""
    with pytest.raises(
        errors.ConfigError, match=r"\] driver: pigeon is no notification driver; there are log, messaging,"
    ):
        make(**{DRIVER: ["log", "pigeon"]})


def test_routing_needs_its_file(make):
    """Without rules, notifications would be lost silently."""
    with pytest.raises(errors.ConfigError, match="needs a file"):
        make(**{DRIVER: ["routing"]})


def test_updates_can_be_left_out(make, caplog):
    """[notifications] notify_on_state_change decides."""
    caplog.set_level("INFO")
    notifier = make(**{DRIVER: ["log"], "notifications.notify_on_state_change": "vm_state"})
    notifier.info({}, "compute.instance.update", UPDATE)
    assert not caplog.records
    notifier.info({}, "compute.instance.update", UPDATE | {"state": "stopped"})
    assert len(caplog.records) == 1
