"""mininova-manage check: the weaknesses that it finds in the exported definitions of a broker."""

import pytest

from mininova import conf
from mininova.manage import checkup
from mininova.manage.checkup import MENDS
from mininova.trust import identities
from mininova.trust.broker import definitions, qpid

COMPUTE = identities.compute("host-1")
EVERYBODY = dict.fromkeys([*map(identities.trusted, identities.TRUSTED), COMPUTE], "secret")


@pytest.fixture
def broker():
    """Give the definitions of a broker without a weakness."""
    return definitions.together(definitions.users(EVERYBODY), definitions.places(), definitions.lanes([COMPUTE]))


def weaker(broker, computes=(COMPUTE,), hashes={}, **settings):
    """Give the weaknesses that the check finds."""
    url = {"transport_url": "amqp://manage:x@one/"}
    return list(checkup.weaker(conf.for_tests("manage", **{**url, **settings}), list(computes), broker, hashes))


def test_nothing_is_weaker(broker):
    """Each user has exactly the rights that it should."""
    assert weaker(broker) == []


def test_identities_are_not_enforced(broker):
    """Without [identities] enforce, the services do not use the user that the broker vouches for."""
    (found,) = weaker(broker, **{"identities.enforce": False})
    assert "enforce is false" in found
    assert "the flow shows what any of them reports in the name of another" in found


def test_another_password_than_is_recorded(broker):
    """A conductor that died while a password was renewed, or an operator's hand, left them different."""
    has = next(user["password_hash"] for user in broker["users"] if user["name"] == COMPUTE.name)
    assert weaker(broker, hashes={COMPUTE.name: has}) == []
    (found,) = weaker(broker, hashes={COMPUTE.name: "another"})
    assert found.startswith("compute.host-1 has another password on the broker than is recorded")


def test_a_guest(broker):
    """Its password is public."""
    broker["users"].append(definitions.user("guest", "guest"))
    (found,) = weaker(broker)
    assert "guest" in found


def test_a_broker_without_topic_permissions(broker):
    """The check says so, and that each user lacks its rights."""
    del broker["topic_permissions"]
    first, *others = weaker(broker)
    assert "knows no topic permissions" in first
    assert len(others) == len(EVERYBODY)


def test_rights_that_are_wider(broker):
    """A single wider rule is found."""
    one = next(found for found in broker["permissions"] if found["user"] == COMPUTE.name)
    one["read"] = ".*"
    assert weaker(broker) == [f"compute.host-1 has other rights on the broker than it should: {MENDS}"]


def test_qpid(broker):
    """What Qpid does not keep is listed, and its rules are compared with what the rights should be."""
    rules = qpid.rules(broker)
    users = [{"name": user["name"]} for user in broker["users"]]  # it shows no hashes
    there = {"users": users, "bindings": broker["bindings"], "rules": rules}
    assert weaker(there, hashes={COMPUTE.name: "what is recorded"}) == list(qpid.WEAKER)

    there["rules"] = [*rules, {**rules[-1], "attributes": {}}]
    assert weaker(there) == [*qpid.WEAKER, f"{rules[-1]['identity']} has other rights on the broker than it should"]


#: What a compute of a Qpid can bind: exchange, queue and key.
ASTRAY = [
    ("mininova", "conductor.dead", "#"),
    ("mininova", "compute.host-1", "compute.host-2"),
    ("mininova.from.compute.host-1", "conductor.dead", "conductor.dead"),
    ("mininova.reply", "compute.host-1", "#"),
    ("mininova.notifications", "conductor.dead", "notifications.info"),
    ("mininova.flow", "compute.host-1", "events"),
    ("conductor_fanout", "compute.host-1", ""),
]


def test_what_is_bound_astray_on_qpid(broker):
    """Qpid lets any user bind any queue; what no process binds is named, and what each does bind is not."""
    usual = [
        ("mininova", "conductor.ctl-1", "conductor.ctl-1"),
        ("mininova", "conductor.dead", "conductor.dead"),
        ("mininova.from.compute.host-1", "reply_api.ctl-1_0.from.compute.host-1", "reply_api.ctl-1_0"),
        ("mininova.from.compute.host-1", "compute.host-1.dead", "compute.host-1.dead"),
        ("mininova.notifications", "notifications.info.billing", "notifications.info"),
        ("mininova.flow", "flow_tail_0", "events"),
        ("conductor_fanout", "conductor_fanout_0", ""),
        ("amq.topic", "conductor.dead", "#"),  # by which nothing is sent
    ]
    bound = [dict(zip(("source", "destination", "routing_key"), it, strict=True)) for it in [*ASTRAY, *usual]]
    users = [{"name": user["name"]} for user in broker["users"]]
    there = {"users": users, "bindings": [*broker["bindings"], *bound], "rules": qpid.rules(broker)}
    said = [
        f"{queue} gets what is sent to {source} as {key!r}, and is not to: {MENDS}" for source, queue, key in ASTRAY
    ]
    assert sorted(weaker(there)) == sorted([*qpid.WEAKER, *said])
    assert weaker({**broker, "bindings": [*broker["bindings"], *bound]}) == [said[2]]  # RabbitMQ let nobody else


def test_rights_on_another_virtual_host(broker):
    """Rights on another virtual host are found, too."""
    broker["permissions"].append({"user": "api", "vhost": "x", "configure": ".*", "write": ".*", "read": ".*"})
    assert weaker(broker) == [f"api has other rights on the broker than it should: {MENDS}"]


def test_a_tag(broker):
    """With some tags a user may publish in another's name."""
    broker["users"][0]["tags"] = ["impersonator"]
    (found,) = weaker(broker)
    assert "has a tag on the broker, impersonator" in found


def test_a_user_that_is_missing(broker):
    """A recorded compute without a broker user is found, and services that share one."""
    first, _ = weaker(broker, [COMPUTE, identities.compute("host-2")])
    assert first == "compute.host-2 has no broker user of its own"


@pytest.mark.parametrize(("kind", "number"), [("bindings", -1), ("queues", -1)])
def test_a_compute_without_a_lane(broker, kind, number):
    """Its messages do not arrive, or those to it, and the check says how to mend that."""
    del broker[kind][number]
    (found,) = weaker(broker)
    assert found == f"messages of compute.host-1, or to it, do not arrive: {MENDS}"


def test_a_lane_that_leads_elsewhere(broker):
    """The check names a queue behind a lane that is neither a service's nor the compute's own."""
    (lane,) = {it["source"] for it in broker["bindings"] if it["source"].endswith(COMPUTE.name)}
    for queue in ("compute.host-1.pause.5", "reply_api.ctl-1_0.from.compute.host-1", "compute.host-10"):
        broker["bindings"].append({"source": lane, "destination": queue, "routing_key": "#"})
    assert weaker(broker) == [f"compute.host-10 gets what is sent to {lane} as '#', and is not to: {MENDS}"]


def test_more_connections_than_it_needs(broker):
    """A user without a limit is found, and one with a lower limit is right."""
    (user,) = (it for it in broker["users"] if it["name"] == COMPUTE.name)
    user["limits"] = {"max-connections": 8, "max-channels": 64}
    assert weaker(broker) == []
    del user["limits"]["max-channels"]
    assert weaker(broker) == [f"compute.host-1 may have more connections or channels open than it needs: {MENDS}"]


def test_queues_without_a_bound(broker):
    """A policy that is missing, or another, is found."""
    broker["policies"][0]["definition"] = {}
    del broker["policies"][1]
    assert weaker(broker) == [
        f"the broker has not the bounds of queues that are called {name}: {MENDS}"
        for name in ("what-listeners-hear", "what-computes-can-fill")
    ]


def test_a_broker_without_bounds_of_its_own():
    """Each setting that is higher than mininova needs is named, with the value that is enough."""
    usual = {name: most for name, (most, _) in checkup.SETTINGS.items()}
    assert list(checkup.unbounded(usual)) == []
    found = list(checkup.unbounded({**usual, "channel_max": 0, "max_message_size": 2**27, "consumer_timeout": None}))
    assert [line.rpartition("set ")[2] for line in found] == [
        "max_message_size = 1048576 in its configuration, or less",
        "channel_max = 256 in its configuration, or less",
        "consumer_timeout = 1800000 in its configuration, or less",
    ]


def test_an_unknown_user(broker):
    """A user with rights that is not of this cloud is found; a user without rights can do nothing."""
    assert weaker(broker, []) == ["the broker lets in compute.host-1, which is no user of this cloud"]
    broker["users"].append(definitions.user("idle", "x"))
    assert weaker(broker) == []


def test_the_user_of_this_command(broker):
    """The command's user must be its own, and not one of another service or of all."""
    (found,) = weaker(broker, transport_url="amqp://mininova:x@one/")
    assert "as mininova: its user should be manage" in found


def test_a_broker_of_kombus_is_weaker():
    """Each promise that it lacks is a sentence; RabbitMQ by kombu lacks one."""

    def found(url):
        return list(checkup.by_kombu(conf.for_tests("manage", transport_url=url)))

    assert found("amqp://manage:x@one/") == []
    assert len(found("kombu+amqp://manage:x@one/")) == 1
    assert "messages go by kombu+redis://, and nothing there drops a message whose time is up" in found(
        "kombu+redis://one/0"
    )
