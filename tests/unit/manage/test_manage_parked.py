"""mininova-manage rpc parked, over a broker in memory."""

import argparse
import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from mininova import errors, rpc
from mininova.context import RequestContext
from mininova.db import identities
from mininova.manage import parked
from mininova.objects import Flavor, Instance
from mininova.rpc import envelope, parking
from mininova.rpc.transports.base import Message
from mininova.rpc.transports.memory import MemoryBroker, MemoryTransport
from mininova.rpc.trust.callers import ORIGIN
from mininova.service.codec import CODEC

HOST = "compute.host-1"
PLACES = ("conductor", "scheduler", HOST, "compute.host-9")
WEB = Instance(
    uuid="b6a6b3a2-1c36-4b2e-9c3b-1a0a2f6d7d10", project_id="p", user_id="u", display_name="web-1",
    vm_state="active", flavor=Flavor(flavor_id="1", name="m1.tiny", memory_mb=512, vcpus=1, root_gb=1),
)  # fmt: skip
CTXT = RequestContext(request_id="req-c9908d32-f70b-4420-8ab9-12a210f27160", user_id="u")


@pytest.fixture
def broker() -> MemoryBroker:
    """Give a broker with the queue of one compute host."""
    broker = MemoryBroker()
    broker.bind(HOST, "mininova", HOST)
    return broker


def peer_of(broker: MemoryBroker) -> rpc.Peer:
    """Connect a peer."""
    peer = rpc.Peer(MemoryTransport(broker, user_id="mininova"), name="manage.ctl-1", codec=CODEC)
    peer.start()
    return peer


@pytest.fixture
def park(broker: MemoryBroker) -> Callable[..., None]:
    """Park a cast, as the server of its last try does."""
    peer = peer_of(broker)

    def park(
        message_id: str, method: str = "stop_instance", key: str = HOST, *, why: str = "boom", **more: Any
    ) -> None:
        request = rpc.Request(method=method, args=CODEC.wrap({"instance": WEB}), context=CTXT.to_wire())
        message = Message(
            body=envelope.pack_request(request), exchange="mininova", routing_key=key, message_id=message_id,
            app_id="api.ctl-1", user_id="api", deliveries=5,
        )  # fmt: skip
        headers = {**parking.notes(message, OSError(why)), "traceparent": "00-1-2-01"}
        place = key if key.startswith("compute.") else key.partition(".")[0]
        parking.park(peer, place, replace(message, **{"headers": headers, **more}))

    return park


Run = Callable[..., list[str]]


@pytest.fixture
def run(broker: MemoryBroker, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command, as a process of its own would, and give the lines that it prints."""

    def run(
        command: Callable[..., None], message: str | None = None, *, where: Sequence[str] = PLACES, **how: Any
    ) -> list[str]:
        peer = peer_of(broker)
        try:
            usual = {"message": message, "all": False, "by": None, "format": "table"}
            command(peer, where, argparse.Namespace(**{**usual, **how}))
        finally:
            peer.stop()
        return capsys.readouterr().out.splitlines()

    return run


def waiting(broker: MemoryBroker, queue: str) -> list[Message]:
    """List the messages in a queue."""
    transport = MemoryTransport(broker)
    transport.start()
    found = [delivery.message for delivery in transport.waiting(queue)]
    transport.stop()
    return found


def ids(run: Run, **how: Any) -> list[str]:
    """Name the listed messages, in order."""
    return [line.split()[0] for line in run(parked.overview, **how)[1:]]


# ---- queues


def test_places(conf: Any, register: Any, db: Any):
    """Each topic of the controller has a queue of parked casts, and each known compute host, even one that never
    started.
    """
    register("host-1")
    with db.write() as tx:
        identities.record(tx, "compute.rack", ["host-2", "host-3"], datetime.now(UTC))
    computes = ["compute.host-1", "compute.host-2", "compute.host-3"]

    assert parked.places(conf, None) == ["conductor", "scheduler", *computes]
    assert parked.places(conf, "compute") == computes
    assert parked.places(conf, "compute.host-2") == ("compute.host-2",)


# ---- list


def test_nothing_is_parked(run: Run):
    """Without parked casts the queue does not exist, and the command says that nothing is parked."""
    assert run(parked.overview) == run(parked.drop, all=True) == run(parked.requeue, all=True) == [parked.NOTHING]


def test_list(run: Run, park, monkeypatch):
    """A parked cast is shown with the instance that it is about, since when it is parked, and the error."""
    two_hours_ago = datetime.now(UTC).timestamp() - 8000
    monkeypatch.setattr(parking.time, "time", lambda: two_hours_ago)
    park("0123456789abcdef")
    _, line = run(parked.overview)
    assert re.split(r"  +", line) == [
        "01234567", HOST, "stop_instance 1.0", "api.ctl-1", "req-c9908d32", "web-1", "5", "2 h ago",
        "mininova", "OSError: boom",
    ]  # fmt: skip


def test_list_leaves_all_as_it_was(run: Run, park):
    """A list changes nothing, not even the order."""
    for each in ("aaaaaaaa1", "cccccccc2", "bbbbbbbb3"):
        park(each)
    assert ids(run) == ids(run) == ["aaaaaaaa", "cccccccc", "bbbbbbbb"]


def test_list_of_a_topic(run: Run, park):
    """One topic can be looked at alone."""
    park("of-compute")
    park("of-conductor", "build_instances", "conductor")
    assert ids(run, where=["conductor"]) == ["of-condu"]
    assert ids(run) == ["of-condu", "of-compu"]


def test_list_of_what_a_user_put_there(broker: MemoryBroker, run: Run, park):
    """On Qpid a compute can put there what it likes, in its own name: that is dropped, and the rest stays."""
    park("0123456789abcdef")
    forger = MemoryTransport(broker, user_id="compute.host-9")
    forged = Message(
        body=b"{}", exchange="mininova", routing_key=f"{HOST}.dead", message_id="forged", app_id="api.ctl-1",
        user_id="compute.host-9",
    )  # fmt: skip
    forger.publish_confirmed(forged, 1)

    assert ids(run, by="compute.host-9") == ["forged"]
    assert len(run(parked.drop, all=True, by="compute.host-9")) == 1
    assert ids(run) == ["01234567"]


def test_list_of_an_unknown_topic(run: Run):
    """A mistyped topic is an error, and not an empty list."""
    with pytest.raises(rpc.Undeliverable, match=r"nothing was ever parked for a topic compte; .* compute"):
        run(parked.overview, where=["compte"])


def test_ids_that_begin_alike_are_longer(run: Run, park):
    """A listed id is long enough to name one message."""
    park("0123456789a")
    park("0123456789b")
    assert ids(run) == ["0123456789a", "0123456789b"]


def test_a_message_that_is_no_cast_is_listed(run: Run, park):
    """A message that is no cast is listed with its bytes."""
    park("junk", body=b"\xff", headers={})
    _, line = run(parked.overview)
    assert re.split(r"  +", line)[:3] == ["junk", HOST, "unreadable"]
    assert "b'\\xff'" in run(parked.show, "junk")


def test_a_list_as_json(run: Run, park):
    """As JSON, each message is whole, with its time and the uuids of its instances."""
    park("0123456789abcdef")
    (one,) = json.loads("\n".join(run(parked.overview, format="json")))
    assert (one["message"], one["tries"]) == ("0123456789abcdef", 5)
    assert one["instances"] == [{"uuid": WEB.uuid, "name": "web-1"}]
    assert abs(datetime.fromisoformat(one["parked"]) - datetime.now(UTC)) < timedelta(minutes=1)


def test_nothing_as_json(run: Run):
    """As JSON, an empty list is a list, and not a sentence."""
    assert run(parked.overview, format="json") == ["[]"]


@pytest.mark.parametrize("how", ["table", "json"])
def test_a_message_cannot_write_on_the_terminal(run: Run, park, how: str):
    """Control characters of a sender are escaped, in each command and form."""
    park(
        "0123456789",
        why="red \x1b[31m\nalert \x9b2J",
        body=envelope.pack({"method": "f\x1b[2J", "args": {"a": "\x9b2J"}}),
    )
    for command in (parked.overview, parked.show):
        lines = run(command, None if command is parked.overview else "0123", format=how)
        assert all(line.isprintable() for line in lines)
        assert any("[31m" in line for line in lines)
    assert run(parked.drop, "0123")[0].isprintable()


# ---- show


def test_show(run: Run, park):
    """Everything of a message is shown, without secrets."""
    park("0123456789abcdef", body=envelope.pack({"method": "f", "args": {"admin_pass": "hunter2", "n": 7}}))
    text = "\n".join(run(parked.show, "0123"))
    assert "message  0123456789abcdef\n" in text
    assert f"sent to  {HOST}\n" in text
    assert "why      OSError: boom\n" in text
    assert '"n": 7' in text
    assert "hunter2" not in text


def test_show_a_context(run: Run, park):
    """The request's user and id are shown."""
    park("0123456789abcdef")
    lines = run(parked.show, "0123")
    assert f"instance  web-1 {WEB.uuid}" in lines
    assert f'  "request_id": "{CTXT.request_id}",' in lines


@pytest.mark.parametrize(
    ("wanted", "why"), [("9", "list shows what there is"), ("", "nothing"), ("01", "begin so: 0123, 0145")]
)
def test_an_id_that_does_not_name_one(run: Run, park, wanted: str, why: str):
    """An unknown, ambiguous or empty id is an error that says what to do."""
    park("0123")
    park("0145")
    with pytest.raises(errors.NoSuchMessage, match=why):
        run(parked.show, wanted)


def test_a_whole_id_wins_over_a_longer_one(run: Run, park):
    """A whole id names its message, also when another begins so."""
    park("0123")
    park("01234")
    assert "message   0123" in run(parked.show, "0123")


def test_show_as_json(run: Run, park):
    """As JSON, a message is one object, without secrets."""
    park("0123456789abcdef", body=envelope.pack({"method": "f", "args": {"admin_pass": "hunter2", "n": 7}}))
    shown = json.loads("\n".join(run(parked.show, "0123", format="json")))
    assert (shown["topic"], shown["copies"], shown["args"]["n"]) == (HOST, 0, 7)
    assert "hunter2" not in str(shown)


# ---- requeue


def test_requeue(run: Run, park, broker: MemoryBroker):
    """A cast goes to its first address as it came, with its first sender and its trace, and its count at zero."""
    park("0123456789abcdef")
    (before,) = waiting(broker, f"{HOST}.dead")
    assert run(parked.requeue, "0123") == [f"sent again    0123456789abcdef stop_instance 1.0 for {HOST} (web-1)"]
    assert waiting(broker, f"{HOST}.dead") == []
    (message,) = waiting(broker, HOST)
    assert (message.body, message.deliveries, message.persistent) == (before.body, 0, True)
    assert message.headers == {"traceparent": "00-1-2-01", ORIGIN: "api"}


def test_requeue_all_of_a_topic(run: Run, park, broker: MemoryBroker):
    """All casts of a topic go, in order; those of other topics stay."""
    for each in ("b", "a"):
        park(each)
    park("of-conductor", key="conductor")
    assert len(run(parked.requeue, all=True, where=[HOST])) == 2
    assert [message.message_id for message in waiting(broker, HOST)] == ["b", "a"]
    assert len(waiting(broker, "conductor.dead")) == 1


def test_requeue_without_a_receiver(run: Run, park, broker: MemoryBroker, capsys: pytest.CaptureFixture[str]):
    """A cast that no queue takes stays parked, and the others are sent."""
    for each, key in (("b", HOST), ("a", "compute.host-9")):
        park(each, key=key)
    with pytest.raises(rpc.Undeliverable, match="1 of 2 could not be sent again, and stay parked"):
        run(parked.requeue, all=True)
    second, first = capsys.readouterr().out.splitlines()
    assert first.startswith("stays parked  a stop_instance 1.0")
    assert first.endswith("nothing serves compute.host-9")
    assert second.startswith("sent again    b")
    assert ids(run) == ["a"]


def test_requeue_goes_no_further_than_its_topic(run: Run, park, broker: MemoryBroker):
    """A parked message that names another service is not sent there: its author might not be allowed to."""
    park("a", key="conductor", headers={parking.KEY: HOST})
    with pytest.raises(rpc.Undeliverable):
        run(parked.requeue, all=True)
    assert waiting(broker, HOST) == []


def test_requeue_of_what_was_sent_twice(run: Run, park, broker: MemoryBroker):
    """Two copies of one cast, from a sender in doubt, have the same id and are sent together."""
    park("a")
    park("a")
    assert len(run(parked.requeue, "a")) == 2


class Dying(MemoryTransport):
    """The connection of a process that is killed after it has sent one message again."""

    def publish_confirmed(self, message: Message, timeout: float) -> None:
        """Send, and die."""
        super().publish_confirmed(message, timeout)
        raise KeyboardInterrupt


def test_requeue_that_is_killed_loses_nothing(park, broker: MemoryBroker):
    """The parked copy is removed only when the broker has the new one; for a while there are two."""
    park("a")
    peer = rpc.Peer(Dying(broker, user_id="mininova"), name="manage.ctl-1", codec=CODEC)
    peer.start()
    with pytest.raises(KeyboardInterrupt):
        parked.requeue(peer, PLACES, argparse.Namespace(message=None, all=True, by=None))
    peer.stop()
    assert [len(waiting(broker, queue)) for queue in (f"{HOST}.dead", HOST)] == [1, 1]


# ---- drop


def test_drop(run: Run, park, broker: MemoryBroker):
    """The command says which cast it dropped; the others stay."""
    park("0123456789abcdef")
    park("fedcba9876543210")
    assert run(parked.drop, "0123") == [f"dropped  0123456789abcdef stop_instance 1.0 for {HOST} (web-1)"]
    assert ids(run) == ["fedcba98"]


def test_drop_all(run: Run, park, broker: MemoryBroker):
    """All are dropped."""
    park("a")
    park("b", key="conductor")
    assert len(run(parked.drop, all=True)) == 2
    assert run(parked.overview) == [parked.NOTHING]
