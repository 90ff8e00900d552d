"""Definitions in Qpid's words; tests/wire/test_broker_rights.py tries the rules on a real one."""

import base64
import hashlib
import hmac

from mininova.trust import identities
from mininova.trust.broker import definitions, qpid

HOST = identities.compute("host-1")
WHOLE = definitions.together(
    definitions.places(), definitions.lanes([HOST]), definitions.users({HOST: "secret", identities.trusted("api"): "x"})
)


def test_a_password_proves_itself_as_rfc_5802_says():
    """A stored key is what a client's proof is checked with; the password is not in it."""
    salt, empty, stored, server, iterations = definitions.scram_sha_256("secret").split(",")
    salted = hashlib.pbkdf2_hmac("sha256", b"secret", base64.b64decode(salt), int(iterations))
    key = hmac.digest(salted, b"Client Key", "sha256")

    assert base64.b64decode(stored) == hashlib.sha256(key).digest()
    assert base64.b64decode(server) == hmac.digest(salted, b"Server Key", "sha256")
    assert (empty, len(base64.b64decode(salt)), iterations) == ("", 16, "4096")


def test_a_lane_leads_to_a_queue_and_to_an_exchange():
    """What is bound to it stands in the exchange that it comes from."""
    [lane] = [it for it in qpid.exchanges(WHOLE) if it["name"] == "mininova.from.compute.host-1"]
    assert [(it["destination"], it["bindingKey"]) for it in lane["durableBindings"]] == [
        ("conductor.from.compute.host-1", "conductor"),
        ("events.from.compute.host-1", "events"),
        ("notifications.info.from.compute.host-1", "notifications.info"),
        ("notifications.error.from.compute.host-1", "notifications.error"),
    ]


def test_what_a_compute_tells_goes_on_at_a_pace():
    """What has waited in the queue goes to the exchange of the listeners, under the key that it has."""
    (queue,) = [it for it in qpid.queues(WHOLE) if it["name"] == "notifications.info.from.compute.host-1"]
    assert (queue["expiryPolicy"], queue["maximumMessageTtl"]) == ("ROUTE_TO_ALTERNATE", 200)
    assert queue["alternateBinding"] == {"destination": "mininova.notifications"}
    assert (queue["maximumQueueDepthMessages"], queue["maximumQueueDepthBytes"]) == (40, 512 * 1024)


def test_every_queue_is_bounded_as_those_that_a_compute_can_fill():
    """Qpid knows no policies by names, so what is to refuse more when it is full is what holds of all."""
    assert qpid.limits(WHOLE) == {
        "queue.defaultMaximumQueueDepthBytes": str(64 * 1024 * 1024),
        "queue.defaultMaximumQueueDepthMessages": "50000",
        "queue.defaultOverflowPolicy": "REJECT",
    }
    parked = {**WHOLE, "queues": [{"name": "conductor.dead"}, {"name": "conductor"}]}
    assert [it.get("overflowPolicy") for it in qpid.queues(parked)] == ["RING", None]


def test_a_compute_has_so_many_connections():
    """The services have as many as they want."""
    assert qpid.connection_limits(WHOLE) == [{"identity": "compute.host-1", "countLimit": 16}]


def test_no_rule_is_without_a_name():
    """Qpid takes a rule that names nothing for one about everything."""
    rules = [it for it in qpid.rules(WHOLE) if it["operation"] != "ACCESS"]
    assert [it for it in rules if not it["attributes"] or not all(it["attributes"].values())] == []
    assert {it["identity"] for it in rules} == {"compute.host-1", "api"}
