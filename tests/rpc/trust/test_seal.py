"""Seals: a process recognises its own messages when they come back."""

import pytest
from msgspec.structs import replace

from mininova.rpc.transports.base import Message
from mininova.rpc.trust.seal import Seals

CAST = Message(body=b'{"method": "switch"}', exchange="E", routing_key="lamp.a", message_id="1")


def test_a_seal_is_opened_by_its_process():
    """The opened seal names the receiver that it was made for."""
    seals = Seals()
    assert seals.opened(seals.seal(CAST, "lamp.a"), "1", CAST.body) == "lamp.a"


@pytest.mark.parametrize(
    ("change", "message_id", "body"),
    [
        (str, "1", b'{"method": "explode"}'),
        (str, "2", CAST.body),
        (lambda seal: seal.replace("lamp.a", "lamp.b"), "1", CAST.body),
        (lambda seal: "0" + seal[1:] if seal[0] != "0" else "1" + seal[1:], "1", CAST.body),
        (lambda seal: "", "1", CAST.body),
        (lambda seal: "naïve lamp.a", "1", CAST.body),
    ],
)
def test_a_changed_message_fails_its_seal(change, message_id, body):
    """A seal fails with another body, another message id or another receiver, and when it is cut."""
    seals = Seals()
    assert seals.opened(change(seals.seal(CAST, "lamp.a")), message_id, body) is None


def test_another_process_has_other_seals():
    """A process does not open the seals of another, nor of one before its restart."""
    assert Seals().opened(Seals().seal(CAST, "lamp.a"), "1", CAST.body) is None


def test_parts_cannot_be_moved():
    """The seal keeps its parts apart: bytes moved from one to the next do not fit."""
    seals = Seals()
    seal = seals.seal(replace(CAST, message_id="12", body=b"3"), "lamp.a")
    assert seals.opened(seal, "1", b"23") is None
