"""The definitions that a broker imports."""

import base64
import hashlib
import re

from mininova.rpc.trust.lanes import replies_to
from mininova.rpc.watch.flow import GATHER_BYTES
from mininova.trust import identities
from mininova.trust.broker import definitions


def test_the_password_is_hashed_as_rabbitmq_checks_it():
    """The first four bytes are the salt, the rest is the digest of the salt and the password."""
    raw = base64.b64decode(definitions.password_hash("secret"))

    assert raw[4:] == hashlib.sha256(raw[:4] + b"secret").digest()
    assert definitions.password_hash("secret") != definitions.password_hash("secret")


WHOLE = {
    "vhosts": [{"name": "/"}],
    "users": [{"name": "api", "tags": ""}, {"name": "compute.host-1", "tags": "old"}],
    "permissions": [{"user": "compute.host-1", "vhost": "/", "read": "old"}],
}


def test_merging_makes_what_is_new_and_changes_what_is_there():
    """What the part does not name stays as it is, as in a broker that imports it."""
    part = {
        "users": [{"name": "compute.host-1", "tags": "new"}, {"name": "compute.host-2", "tags": ""}],
        "permissions": [{"user": "compute.host-1", "vhost": "/", "read": "new"}],
        "queues": [{"name": "q", "vhost": "/"}],
    }
    assert definitions.merged(WHOLE, part) == {
        "vhosts": [{"name": "/"}],
        "users": [
            {"name": "api", "tags": ""},
            {"name": "compute.host-1", "tags": "new"},
            {"name": "compute.host-2", "tags": ""},
        ],
        "permissions": [{"user": "compute.host-1", "vhost": "/", "read": "new"}],
        "queues": [{"name": "q", "vhost": "/"}],
    }


def test_a_user_is_taken_out_with_its_rights():
    """The other users keep theirs."""
    without = definitions.without_user(WHOLE, "compute.host-1")
    assert (without["users"], without["permissions"]) == ([{"name": "api", "tags": ""}], [])
    assert without["vhosts"] == WHOLE["vhosts"]


def test_a_compute_can_open_so_much_only():
    """The connections and channels of a compute are limited; a service of the controller has no such limit."""
    conductor, compute = identities.trusted("conductor"), identities.compute("host-1")
    defined = definitions.users({conductor: "secret", compute: "secret"})["users"]

    assert {user["name"]: user["limits"] for user in defined} == {
        "conductor": {},
        "compute.host-1": {"max-connections": 16, "max-channels": 64},
    }


def test_the_queues_that_a_compute_can_fill_refuse_more():
    """Its own queues, those of replies, of the flow and behind its lane are bounded, and a sender then gets a nack."""
    _, policy, _ = definitions.places()["policies"]
    bounded = [
        "compute.host-1", "reply_api.ctl-1_0", "conductor.from.compute.host-1",
        "notifications.info.from.compute.host-1", "flow_collector_0",
    ]  # fmt: skip
    queues = [*bounded, "conductor", "notifications.info"]

    assert [queue for queue in queues if re.search(policy["pattern"], queue)] == bounded
    assert policy["definition"]["overflow"] == "reject-publish"
    assert policy["definition"].keys() == {"max-length", "max-length-bytes", "overflow"}


def test_parked_casts_push_out_the_oldest():
    """A queue of parked casts is bounded, but takes the latest, also one of a compute's own."""
    *_, policy = definitions.places()["policies"]
    names = ["conductor.dead", "compute.host-1.dead", "compute.host-1", "conductor"]

    assert [name for name in names if re.search(policy["pattern"], name)] == ["conductor.dead", "compute.host-1.dead"]
    assert (policy["definition"]["overflow"], policy["priority"]) == ("drop-head", 2)


def test_notifications_push_out_the_oldest():
    """A queue that no one reads keeps the latest, and so many bytes of them at most."""
    policy, *_ = definitions.places()["policies"]
    names = ["notifications.info", "notifications.info.billing", "conductor"]

    assert [name for name in names if re.search(policy["pattern"], name)] == names[:2]
    bounds = {"max-length": 10_000, "max-length-bytes": 64 * 1024 * 1024}
    assert policy["definition"] == {**bounds, "overflow": "drop-head", "queue-mode": "lazy"}


def test_what_a_compute_tells_all_goes_on_at_a_pace():
    """Its notifications, and its events of the flow, wait in queues of its own, and go on to the listeners."""
    defined = definitions.lanes([identities.compute("host-1")])
    paced = {it["name"]: it["arguments"] for it in defined["queues"] if "x-message-ttl" in it["arguments"]}
    bound = {it["destination"]: (it["source"], it["routing_key"]) for it in defined["bindings"]}

    assert {name: arguments["x-dead-letter-exchange"] for name, arguments in paced.items()} == {
        "events.from.compute.host-1": "mininova.flow",
        "notifications.info.from.compute.host-1": "mininova.notifications",
        "notifications.error.from.compute.host-1": "mininova.notifications",
    }
    assert all(definitions.PACE.items() <= arguments.items() for arguments in paced.values())
    assert definitions.PACE["x-max-length-bytes"] > GATHER_BYTES  # or it takes no full report
    lane = "mininova.from.compute.host-1"
    assert [bound[name] for name in paced] == [(lane, name.partition(".from.")[0]) for name in paced]


def test_what_is_sent_to_a_compute_is_bound_for_it():
    """Its replies have one queue, and each of its hosts has one; it may bind none itself."""
    defined = definitions.lanes([identities.compute("rack", ["one", "two"])])
    bound = {it["destination"]: it["source"] for it in defined["bindings"]}

    assert bound[replies_to("compute.rack")] == "mininova.reply"
    assert (bound["compute.one"], bound["compute.two"]) == ("mininova", "mininova")
