"""The definitions that a broker imports."""

import base64
import hashlib
import re

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
    policy, _ = definitions.places()["policies"]
    bounded = ["compute.host-1", "reply_api.ctl-1_0", "conductor.from.compute.host-1", "flow_collector_0"]
    queues = [*bounded, "conductor", "notifications.info"]

    assert [queue for queue in queues if re.search(policy["pattern"], queue)] == bounded
    assert policy["definition"]["overflow"] == "reject-publish"
    assert policy["definition"].keys() == {"max-length", "max-length-bytes", "overflow"}


def test_parked_casts_push_out_the_oldest():
    """A queue of parked casts is bounded, but takes the latest, also one of a compute's own."""
    _, policy = definitions.places()["policies"]
    names = ["conductor.dead", "compute.host-1.dead", "compute.host-1", "conductor"]

    assert [name for name in names if re.search(policy["pattern"], name)] == ["conductor.dead", "compute.host-1.dead"]
    assert (policy["definition"]["overflow"], policy["priority"]) == ("drop-head", 1)
