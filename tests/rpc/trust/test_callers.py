"""Who sent a message first, and what may be said of it when it is sent again."""

import pytest
from msgspec.structs import replace

from mininova import rpc
from mininova.rpc.transports.base import Message
from mininova.rpc.trust.callers import ORIGIN, Relays, check_way

OURS = Relays("conductor", frozenset({"manage"}))


def message(user_id: str | None, **headers: str) -> Message:
    """Make one that the broker vouches for, or not."""
    return Message(body=b"", exchange="E", routing_key="conductor", message_id="1", user_id=user_id, headers=headers)


@pytest.mark.parametrize(
    ("user_id", "origin", "sender"),
    [
        ("compute.host-1", None, "compute.host-1"),
        ("compute.host-1", "api", "compute.host-1"),
        ("conductor", None, "conductor"),
        ("conductor", "compute.host-1", "compute.host-1"),
        ("manage", "compute.host-1", "compute.host-1"),
        ("manage", None, "manage"),
        (None, "api", None),
        (None, None, None),
    ],
)
def test_who_sent_it_first(user_id: str | None, origin: str | None, sender: str | None):
    """The header counts from us, and from whom we believe; and then what was sent on says the same."""
    came = message(user_id, **({ORIGIN: origin} if origin else {}))
    assert OURS.sender_of(came) == sender

    user_id, headers = OURS.passed_on(came, {**came.headers, "traceparent": "00-1-2-01"})
    assert headers["traceparent"] == "00-1-2-01"
    assert OURS.sender_of(message(user_id, **headers)) == sender
    assert user_id in (None, "conductor")


def test_who_has_no_name_believes_nobody():
    """A process without a broker user of its own takes each for what the broker says, and that is nobody."""
    assert Relays(None).sender_of(message(None, **{ORIGIN: "api"})) is None


@pytest.mark.parametrize(
    ("queue", "taken"),
    [
        (None, True),
        ("conductor.pause.5", True),
        ("conductor.ctl-1.pause.0.5", True),
        ("compute.host-1.pause.5", False),
        ("conductor", False),
        ("reply_compute.host-1_0", False),
        ("", False),
    ],
)
def test_the_way_that_it_came(queue: str | None, taken: bool):
    """Out of a pause of our own; anything else that the broker forwarded was another's to read, and is not for us."""
    came = message("conductor", **({"x-first-death-queue": queue} if queue is not None else {}))
    places = ["conductor", "conductor.ctl-1"]
    if taken:
        check_way(came, places, "E")
    else:
        with pytest.raises(rpc.Forbidden, match="forwarded"):
            check_way(came, places, "E")


@pytest.mark.parametrize(
    ("user_id", "exchange", "taken"),
    [
        ("compute.a", "E.from.compute.a", True),
        ("compute.a", "E", True),
        (None, "E", True),
        ("compute.b", "E.from.compute.a", False),
        ("compute.a.b", "E.from.compute.a", False),
        ("conductor", "E.from.compute.a", False),
        (None, "E.from.compute.a", False),
    ],
)
def test_whose_lane_it_came_by(user_id: str | None, exchange: str, taken: bool):
    """By a lane come the messages of whose it is, and nobody else's."""
    came = replace(message(user_id), exchange=exchange)
    if taken:
        check_way(came, ["conductor"], "E")
    else:
        with pytest.raises(rpc.Forbidden, match="not its sender's"):
            check_way(came, ["conductor"], "E")
