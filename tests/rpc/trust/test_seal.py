"""Seals: a process knows again what it sent, and nothing else."""

import pytest
from msgspec.structs import replace

from mininova.rpc.transports.base import Message
from mininova.rpc.trust.seal import Seals

CAST = Message(body=b'{"method": "switch"}', exchange="E", routing_key="lamp.a", message_id="1")


def test_what_was_sealed_is_known_again():
    """The seal says for whom it was."""
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
def test_what_was_changed_is_not(change, message_id, body):
    """Neither another body nor another id, nor another receiver, nor half a seal."""
    seals = Seals()
    assert seals.opened(change(seals.seal(CAST, "lamp.a")), message_id, body) is None


def test_another_process_has_other_seals():
    """What one sent does not come back to another, nor to its heir."""
    assert Seals().opened(Seals().seal(CAST, "lamp.a"), "1", CAST.body) is None


def test_parts_cannot_be_moved():
    """Bytes of the one part are not taken for those of the next."""
    seals = Seals()
    seal = seals.seal(replace(CAST, message_id="12", body=b"3"), "lamp.a")
    assert seals.opened(seal, "1", b"23") is None
