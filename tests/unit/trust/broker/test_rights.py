"""The rights that we write for the broker; tests/wire checks them on a real one."""

import re

import pytest

from mininova.rpc.trust.lanes import replies_to
from mininova.trust import identities
from mininova.trust.broker.rights import Layout, rights

HEX = 32 * "a"


def test_the_marks_of_a_name_are_taken_as_they_are():
    """A dot in a host's name matches only a dot."""
    own = rights(identities.compute("a.b")).read
    assert re.search(own, "compute.a.b")
    assert not re.search(own, "compute.axb")


def test_a_process_of_many_hosts_has_the_queues_of_each():
    """It reads one queue of replies, which is called as its user and which it does not make."""
    own = rights(identities.compute("rack", ["one", "two"]))
    for queue in ("compute.one", "compute.two.dead", "compute.two.pause.30"):
        assert re.search(own.configure, queue), queue
    for queue in ("compute.rack", "compute.three", "compute.one.two", "compute.one|two", "compute.one.pause.6"):
        assert not re.search(own.configure, queue), queue
    for queue in (replies_to("compute.rack"), f"reply_compute.rack_{HEX}", replies_to("compute.one")):
        assert not re.search(own.configure, queue), queue
        assert bool(re.search(own.read, queue)) == (queue == replies_to("compute.rack")), queue


def test_the_names_of_the_settings_are_used():
    """The exchange and the topics of notifications may have other names."""
    layout = Layout(exchange="nova", notifications=("notifications", "billing"))
    compute, api = rights(identities.compute("host-1"), layout), rights(identities.trusted("api"), layout)
    assert re.search(compute.write, "nova.from.compute.host-1")
    assert re.search(api.read, "nova.from.compute.host-1")
    assert not re.search(compute.write, "mininova.from.compute.host-1")
    assert set(api.topics) == {"nova", "nova.reply", "nova.notifications"}
    assert re.search(api.topics["nova.notifications"].write, "billing.info")


@pytest.mark.parametrize("identity", [*map(identities.trusted, identities.TRUSTED), identities.compute("host-1")])
def test_every_rule_is_whole(identity):
    """RabbitMQ searches a rule anywhere in a name: each has an anchor at both ends, or matches nothing."""
    allowed = rights(identity)
    keys = [rule for topic in allowed.topics.values() for rule in (topic.write, topic.read)]
    for rule in (allowed.configure, allowed.write, allowed.read, *keys):
        assert (rule.startswith("^(") and rule.endswith(")$")) or rule == "(?!)"
        assert not re.search(rule, "")
    for rule in (allowed.configure, allowed.write, allowed.read):
        assert not re.search(rule, "amq.default")
