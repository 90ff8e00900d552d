"""The real oslo.messaging and mininova understand each other, over RabbitMQ and in both directions.

oslo_peer.py is the process that speaks oslo.messaging; docs/rpc/wire.md says which options it needs for that.
"""

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mininova import rpc
from mininova.rpc.baseapi import OsloPing
from mininova.rpc.notify.notification import PRIORITIES
from tests.fixtures.rpc_bench import CTXT, PATIENCE, AMQPBench, Keeper, Lamp, LampBroken, broken

PROGRAM = "tests.fixtures.oslo_peer"  # run from the root, so that it can import the classes of our errors
ROOT = Path(__file__).parents[2]


class Oslo:
    """The process that speaks oslo.messaging.

    :ivar heard: what its servers and listeners heard, in order
    """

    def __init__(self, url: str) -> None:
        command = [sys.executable, "-m", PROGRAM, url]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self._answers: queue.Queue[Any] = queue.Queue()
        self.heard: queue.Queue[Any] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = json.loads(line)
            self.heard.put(said["heard"]) if "heard" in said else self._answers.put(said["answer"])

    def ask(self, do: str, **how: Any) -> Any:
        """Have the process do something, and give the outcome."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **how}) + "\n")
        return self._answers.get(timeout=2 * PATIENCE)

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._reader.join()
        self._process.wait()
        for pipe in self._process.stdin, self._process.stdout:
            assert pipe is not None
            pipe.close()


@dataclass
class Talk:
    """One test's exchange and topic, as oslo.messaging uses them."""

    oslo: Oslo
    bench: AMQPBench

    @property
    def _where(self) -> dict[str, str]:
        return {"exchange": self.bench.exchange, "topic": self.bench.topic}

    def send(self, how: str, method: str, args: Any, **more: Any) -> Any:
        """Have oslo.messaging call or cast, and give the outcome."""
        more = {"version": "1.2", **more}
        return self.oslo.ask("send", **self._where, how=how, method=method, args=args, **more)

    def serve(self, **how: Any) -> None:
        """Have oslo.messaging serve the lamps."""
        self.oslo.ask("serve", **self._where, **{"server": "oslo", **how})

    def heard(self) -> Any:
        """Wait for the next message that oslo.messaging receives."""
        return self.oslo.heard.get(timeout=PATIENCE)


@pytest.fixture(scope="module")
def oslo(private_broker: Any) -> Iterator[Oslo]:
    """Run the other process."""
    made = Oslo(private_broker.url)
    yield made
    made.close()


@pytest.fixture
def bench(private_broker: Any) -> Iterator[AMQPBench]:
    """Give our side of the broker."""
    made = AMQPBench(private_broker.url)
    yield made
    made.close()


@pytest.fixture
def talk(oslo: Oslo, bench: AMQPBench) -> Iterator[Talk]:
    """Give both sides."""
    yield Talk(oslo, bench)
    oslo.ask("stop")
    oslo.heard = queue.Queue()


# ---- oslo.messaging calls, mininova serves


def test_oslo_gets_the_result_of_its_call(talk: Talk):
    """It gets our object as plain JSON."""
    talk.bench.serve(Keeper())

    assert talk.send("call", "get", {"name": "desk"}) == {"result": {"name": "desk", "watts": 40}}


def test_oslo_calls_one_host(talk: Talk):
    """Its ``server`` is our host."""
    one, other = Keeper(), Keeper()
    talk.bench.serve(one, "a")
    talk.bench.serve(other, "b")

    talk.send("call", "get", {"name": "desk"}, server="b")

    assert (one.asked.qsize(), other.asked.qsize()) == (0, 1)


def test_the_context_of_oslo_is_ours(talk: Talk):
    """The fields of its context arrive at the manager."""
    contexts: queue.Queue[Any] = queue.Queue()

    class Curious(Keeper):
        def get(self, ctxt, name):
            contexts.put(ctxt)
            return Lamp(name)

    talk.bench.serve(Curious())

    talk.send("call", "get", {"name": "desk"})

    assert contexts.get(timeout=PATIENCE) == {"request_id": "req-oslo"}


def test_the_deadline_of_oslo_travels(talk: Talk):
    """Our handler has no more time than oslo.messaging waits."""
    keeper = Keeper()
    talk.bench.serve(keeper)

    talk.send("call", "get", {"name": "desk"}, timeout=5)

    assert 0 < keeper.left[0] <= 5


def test_a_cast_of_oslo_is_handled(talk: Talk):
    """Its cast runs with its arguments decoded to our types."""
    keeper = Keeper()
    talk.bench.serve(keeper)

    talk.send("cast", "switch", {"lamp": {"name": "desk"}, "colour": "red"})

    assert talk.bench.next(keeper.asked) == ("switch", (Lamp("desk"), "red"))


def test_oslo_fans_out_to_all_of_ours(talk: Talk):
    """Each of our servers gets its fanout once."""
    keepers = [Keeper(), Keeper()]
    for host, keeper in zip("ab", keepers, strict=True):
        talk.bench.serve(keeper, host)

    talk.send("cast", "dim", {"percent": 20}, fanout=True)

    assert [talk.bench.next(keeper.asked) for keeper in keepers] == [("dim", 20)] * 2


def test_our_error_is_a_remote_error_at_oslo(talk: Talk):
    """An oslo.messaging that does not allow our module gets the class's name and the sentence."""
    talk.bench.serve(Keeper(get=broken))

    told = talk.send("call", "get", {"name": "desk"})

    assert (told["error"], told["exc_type"]) == ("RemoteError", "LampBroken")
    assert told["value"] == "the filament is gone"


def test_our_error_is_itself_at_an_oslo_that_allows_its_module(talk: Talk):
    """oslo.messaging makes the class again, with its details."""
    talk.bench.serve(Keeper(get=broken))

    told = talk.send("call", "get", {"name": "desk"}, allowed=["tests.fixtures.rpc_bench"])

    assert (told["error"], told["details"]) == ("LampBroken_Remote", {"name": "desk"})


@pytest.mark.parametrize("version", ["1.9", "2.0"])
def test_oslo_gets_an_error_for_a_version_that_we_refuse(talk: Talk, version: str):
    """It gets an error for a newer minor and for another major, and the method does not run."""
    keeper = Keeper()
    talk.bench.serve(keeper)

    told = talk.send("call", "get", {"name": "desk"}, version=version, allowed=["mininova.rpc.errors"])

    assert told["error"] == "UnsupportedVersion_Remote"
    assert (told["details"]["asked"], told["details"]["offered"]) == (version, "LampAPI 1.2")
    assert keeper.asked.empty()


@pytest.mark.parametrize("method", ["explode", "_private"])
def test_oslo_gets_an_error_for_an_unknown_method(talk: Talk, method: str):
    """A method that is not declared cannot be called from there either."""
    talk.bench.serve(Keeper())

    assert talk.send("call", method, {})["exc_type"] == "NoSuchMethod"


def test_oslo_gets_an_error_for_a_wrong_argument(talk: Talk):
    """The error names the argument."""
    talk.bench.serve(Keeper())

    told = talk.send("call", "get", {"name": 7})

    assert told["exc_type"] == "InvalidArguments"
    assert "$.name" in told["value"]


def test_a_cast_of_oslo_that_we_refuse_is_dropped(talk: Talk):
    """oslo.messaging takes no refused casts back; the cast is dropped, and the next one is handled."""
    keeper = Keeper()
    talk.bench.serve(keeper)

    talk.send("cast", "switch", {"lamp": {"name": "desk"}}, version="1.9")
    talk.send("cast", "switch", {"lamp": {"name": "hall"}})

    assert talk.bench.next(keeper.asked)[1][0] == Lamp("hall")


def test_a_slow_handler_sends_oslo_heartbeats(talk: Talk):
    """Heartbeats keep its call monitor (``_timeout``) from ending a call whose handler still works."""
    peer = talk.bench.peer("lamp.a")
    publish, signs = peer.transport.publish, threading.Semaphore(0)

    def counting(message: Any, **how: Any) -> None:
        publish(message, **how)
        signs.release()

    def get(name: str) -> Lamp:
        for _ in range(4):  # they take two seconds, and the monitor would wait for one
            assert signs.acquire(timeout=PATIENCE)
        return Lamp(name)

    peer.transport.publish = counting  # type: ignore[method-assign]
    talk.bench.serve(Keeper(get=get), peer=peer)

    told = talk.send("call", "get", {"name": "desk"}, call_monitor_timeout=1)

    assert told == {"result": {"name": "desk", "watts": 40}}


# ---- mininova calls, oslo.messaging serves


def test_oslo_pings_us(talk: Talk):
    """Nova's services ping each other so, and oslo.messaging's own servers are pinged so."""
    talk.bench.serve(Keeper())

    asked = talk.send("call", "ping", {"arg": "hello"}, namespace="baseapi", version="1.0")
    plain = talk.send("call", "oslo_rpc_server_ping", {}, version="1.0")

    assert asked == {"result": {"service": talk.bench.topic, "arg": "hello"}}
    assert plain == {"result": "pong"}


def test_we_get_the_result_of_our_call_to_oslo(talk: Talk):
    """It comes back as the type that was declared."""
    talk.serve()

    assert talk.bench.client().get(CTXT, "desk") == Lamp("desk", 60)


def test_we_ping_oslo(talk: Talk):
    """Our ping gets an answer from a server like Nova's, and from a plain server of oslo.messaging, which has a ping of
    its own.
    """
    talk.serve(ping=True)
    peer, topic = talk.bench.peer(), talk.bench.topic

    assert rpc.BaseAPI(peer, topic=topic).ping(CTXT, "hello") == {"service": topic, "arg": "hello"}
    assert OsloPing(peer, topic=topic).oslo_rpc_server_ping(CTXT) == "pong"


def test_our_context_arrives_at_oslo(talk: Talk):
    """Its endpoint gets the fields, and our host is its ``server``."""
    talk.serve(server="b")

    talk.bench.client().on("b").get(CTXT, "desk")

    assert talk.heard() == ["get", "req-1", "desk"]


def test_our_cast_is_handled_by_oslo(talk: Talk):
    """Its endpoint gets the arguments as JSON, without newer arguments at their default."""
    talk.serve()

    talk.bench.client().switch(CTXT, Lamp("desk"))

    assert talk.heard() == ["switch", "req-1", {"lamp": {"name": "desk", "watts": 40}}]


def test_an_error_at_oslo_is_the_one_that_we_registered(talk: Talk):
    """We find the class by its name; the module that it had there does not matter."""
    talk.serve()

    with pytest.raises(LampBroken, match="the filament is gone") as caught:
        talk.bench.client().get(CTXT, "broken")
    assert caught.value.details == {"name": "desk"}


def test_an_error_at_oslo_without_a_registered_name_is_a_remote_error(talk: Talk):
    """Nothing is imported for it, and its traceback is not in our sentence."""
    talk.serve()

    with pytest.raises(rpc.RemoteError, match=r"^LookupError: no such lamp$"):
        talk.bench.client().get(CTXT, "missing")


def test_a_version_that_oslo_refuses_is_an_unsupported_version(talk: Talk):
    """Our caller gets our class."""
    talk.serve(version="2.0")

    with pytest.raises(rpc.UnsupportedVersion, match=r"1\.0.*get"):
        talk.bench.client().get(CTXT, "desk")


def test_a_method_that_oslo_does_not_have_is_no_such_method(talk: Talk):
    """Our caller gets our class."""
    talk.serve()

    with pytest.raises(rpc.NoSuchMethod, match="toggle"):
        talk.bench.client().toggle(CTXT, "desk")


# ---- both at once


def test_both_serve_one_topic(talk: Talk):
    """A fanout from either side reaches the servers of both, whichever declared the queues first."""
    keeper = Keeper()
    talk.serve()
    talk.bench.serve(keeper, "a")

    talk.bench.client().dim(CTXT, percent=20)
    talk.send("cast", "dim", {"percent": 30}, fanout=True)

    assert sorted(talk.bench.next(keeper.asked) for _ in range(2)) == [("dim", 20), ("dim", 30)]
    assert sorted(talk.heard() for _ in range(2)) == [["dim", "req-1", 20], ["dim", "req-oslo", 30]]


def test_a_fanout_is_sent_after_the_last_listener_has_gone(talk: Talk):
    """The exchange went with the last listener, and the sender gets no error."""
    talk.serve()
    peer = talk.bench.peer()
    client = talk.bench.client(peer)
    client.dim(CTXT, percent=20)
    talk.heard()
    talk.oslo.ask("stop")

    client.dim(CTXT, percent=30)
    keeper = Keeper()
    talk.bench.serve(keeper)
    client.dim(CTXT, percent=40)

    assert talk.bench.next(keeper.asked) == ("dim", 40)


# ---- notifications


@pytest.mark.parametrize("priority", ["info", "error"])
def test_oslo_hears_our_notifications(talk: Talk, priority: str):
    """Its listener gets the context, publisher, event type and payload, at each priority."""
    topic = f"told-{talk.bench.mark}"
    talk.oslo.ask("listen", exchange=f"{talk.bench.exchange}.notifications", topic=topic)

    notifier = rpc.Notifier(talk.bench.peer("lamp.a"), "lamp.a", topic=topic)
    getattr(notifier, priority)(CTXT, "lamp.broken", {"name": "desk"})

    assert talk.heard() == [priority, "req-1", "lamp.a", "lamp.broken", {"name": "desk"}]


@pytest.mark.parametrize("priority", PRIORITIES)
def test_we_hear_the_notifications_of_oslo(talk: Talk, priority: str):
    """Our listener gets all that its notifier sent, at each priority, also what waited in the durable queue."""
    topic = f"told-{talk.bench.mark}"
    heard: queue.Queue[rpc.Notification] = queue.Queue()
    exchange = talk.bench.exchange  # where a notifier of oslo.messaging sends
    listener = rpc.Listener(talk.bench.peer("ears"), heard.put, topics=[topic], pool="ours", exchange=exchange)
    listener.start()

    talk.oslo.ask(
        "notify", exchange=exchange, topic=topic, priority=priority, event_type="lamp.bought",
        payload={"watts": 9},
    )  # fmt: skip

    told = heard.get(timeout=PATIENCE)
    assert (told.event_type, told.publisher_id, told.payload) == ("lamp.bought", "lamp.oslo", {"watts": 9})
    assert (told.priority, told.context["request_id"]) == (priority, "req-oslo")
    assert abs(datetime.now(UTC) - told.timestamp) < timedelta(minutes=1)
    listener.stop()


def test_our_listener_and_oslos_share_a_queue(talk: Talk):
    """Either may declare the queue first; each notification goes to one of them."""
    topic = f"told-{talk.bench.mark}"
    talk.oslo.ask("listen", exchange=f"{talk.bench.exchange}.notifications", topic=topic)
    ours: queue.Queue[rpc.Notification] = queue.Queue()
    listener = rpc.Listener(talk.bench.peer("ears"), ours.put, topics=[topic], priorities=["info", "error"])
    listener.start()
    notifier = rpc.Notifier(talk.bench.peer("lamp.a"), "lamp.a", topic=topic)

    for _ in range(2):
        notifier.info(CTXT, "lamp.on", {})

    assert ours.get(timeout=PATIENCE).event_type == "lamp.on"
    assert talk.heard()[3] == "lamp.on"
    listener.stop()
