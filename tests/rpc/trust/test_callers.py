"""Which sender a message has, and how a message sent again still names its first sender."""

import pytest
from msgspec.structs import replace

from mininova import rpc
from mininova.rpc.transports.base import Message
from mininova.rpc.trust.callers import ORIGIN, Relays, check_way

OURS = Relays("conductor", frozenset({"manage"}))


def message(user_id: str | None, **headers: str) -> Message:
    """Make a message with or without the broker's user_id."""
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
def test_the_first_sender_of_a_message(user_id: str | None, origin: str | None, sender: str | None):
    """The header with the first sender counts from ourselves and from senders that may relay; a message sent on keeps
    it.
    """
    came = message(user_id, **({ORIGIN: origin} if origin else {}))
    assert OURS.sender_of(came) == sender

    user_id, headers = OURS.passed_on(came, {**came.headers, "traceparent": "00-1-2-01"})
    assert headers["traceparent"] == "00-1-2-01"
    assert OURS.sender_of(message(user_id, **headers)) == sender
    assert user_id in (None, "conductor")


def test_without_a_name_of_its_own_a_process_trusts_no_header():
    """A process without a broker user of its own has no sender whose header it may trust."""
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
def test_a_forwarded_message_is_taken_only_from_a_pause_of_ours(queue: str | None, taken: bool):
    """A message may come out of a pause queue of ours; one that the broker forwarded from elsewhere is refused."""
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
def test_a_lane_carries_only_its_owners_messages(user_id: str | None, exchange: str, taken: bool):
    """A lane carries only messages of the user that it belongs to."""
    came = replace(message(user_id), exchange=exchange)
    if taken:
        check_way(came, ["conductor"], "E")
    else:
        with pytest.raises(rpc.Forbidden, match="not its sender's"):
            check_way(came, ["conductor"], "E")
