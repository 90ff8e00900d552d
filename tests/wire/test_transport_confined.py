"""A process whose broker user has only the rights that it needs: its own queues, and its lane, which others made.

Not in memory, for the memory broker has no permissions.
"""

import queue
import re
from collections.abc import Iterator

import amqp
import pytest
from stack import broker

from mininova import rpc
from mininova.rpc import parking
from mininova.rpc.notify.messaging import Messaging
from mininova.rpc.transports.base import Message
from mininova.rpc.trust import lanes
from mininova.trust.broker import definitions
from tests.fixtures.private_broker import ON_RABBITMQ, PASSWORD, PrivateBroker
from tests.fixtures.rpc_bench import CTXT, PATIENCE, AMQPBench, Keeper, Lamp, broken


class ConfinedBench(AMQPBench):
    """A bench with a host ``a`` of the lamps, whose broker user, ``confined``, has only the rights to serve it."""

    def __init__(self, broker: PrivateBroker) -> None:
        super().__init__(broker.url)
        self.broker, self.user = broker, f"confined-{self.mark}"
        self.lane = lanes.exchange_of(self.exchange, self.user)

    def confine(self) -> None:
        """Make the user."""
        own, reply, lane = rf"{self.topic}\.a(\..+)?", lanes.replies_to(self.user), re.escape(self.lane)
        who = {"user": self.user, "vhost": "/"}
        wanted = {
            "users": [definitions.user(self.user, PASSWORD)],
            "permissions": [
                {
                    **who,
                    "configure": f"^({own})$",
                    "read": f"^({own}|{reply}|{lane})$",
                    "write": f"^({own}|{lane})$",
                }
            ],
            "topic_permissions": [{**who, "exchange": self.lane, "write": "^.+$", "read": f"^{own}$"}],
        }
        self.broker.define(wanted)

    def confined(self, **how) -> rpc.Peer:
        """Make the confined process, not started yet."""
        self.how = {"declares": False}
        transport = self.transport(self.user)
        self.how = {}
        trust = rpc.Trust(confined=True, alone=True)
        peer = rpc.Peer(transport, name="lamp.a", exchange=self.exchange, call_timeout=PATIENCE, trust=trust, **how)
        self.peers.append(peer)
        return peer

    def caller(self, **how) -> rpc.Peer:
        """Start a peer with all rights, which knows that the host has a lane, and has made what the host finds made."""
        peer = self.peer(lane_of=lambda key: self.user if key.endswith(".a") else None, **how)
        for exchange in (self.exchange, peer.notification_exchange, self.lane):
            peer.transport.declare("anything", exchange, "anything")
        place, replies = f"{self.topic}.a", lanes.replies_to(self.user)
        peer.transport.declare(place, self.exchange, place)
        peer.transport.declare(replies, peer.reply_exchange, replies)
        return peer


@pytest.fixture
def bench(any_broker: PrivateBroker) -> Iterator[ConfinedBench]:
    """Give a bench with its confined user."""
    made = ConfinedBench(any_broker)
    made.confine()
    yield made
    made.close()


def test_a_confined_server_serves(bench: ConfinedBench):
    """It answers calls, tries casts again after pauses, and parks them, all with its own queues."""
    events: queue.Queue[rpc.MessageEvent] = queue.Queue()
    client, peer = bench.caller(), bench.confined(watch=rpc.Flow(events.put))
    peer.start()
    keeper = Keeper(switch=broken)
    bench.serve(keeper, "a", peer=peer)

    assert bench.client(client).on("a").get(CTXT, "desk") == Lamp("desk")
    bench.client(client).on("a").switch(CTXT, Lamp("desk"))
    while bench.next(events).kind != "parked":
        pass
    (one,) = parking.parked(client, f"{bench.topic}.a")
    assert one.message.user_id == bench.user


@ON_RABBITMQ
def test_the_process_that_began_last_hears_the_replies(bench: ConfinedBench):
    """One of the same name that is lost, and that the broker does not know to be lost, gets none of them."""
    bench.caller()
    keeper = Keeper()
    bench.serve(keeper, "b", user="conductor").hear([bench.user])
    lost = bench.confined()
    lost.start()
    peer = bench.confined()
    peer.start()

    for number in range(4):
        assert bench.client(peer).toggle(CTXT, str(number)) is True


def test_a_confined_process_notifies_by_its_lane(bench: ConfinedBench):
    """It declares no queue for its notifications, and sends them by its lane to the existing one."""
    bench.caller()
    heard, peer = bench.listen("notifications.info", bench.lane), bench.confined()
    peer.start()

    rpc.Notifier(peer, "lamp.a", drivers=[Messaging(peer)]).info(CTXT, "lamp.on", {})

    assert bench.next(heard).user_id == bench.user


def test_a_confined_process_waits_for_its_queues(bench: ConfinedBench, caplog: pytest.LogCaptureFixture):
    """Until another process has made and bound them, the log has a line; then the server starts to serve."""
    keeper = Keeper()
    peer = bench.confined()
    peer.start()
    server = rpc.Server(peer, "a", [(bench.api, keeper)], spawn=bench.spawn)
    server.start()
    assert re.search(rf"refuses the queue {lanes.replies_to(bench.user)}|connection .*broke", caplog.text)

    ready: queue.Queue[None] = queue.Queue()
    peer.transport.on_restored = lambda: ready.put(None)
    client = bench.caller()
    ready.get(timeout=PATIENCE)

    assert bench.client(client).on("a").get(CTXT, "desk") == Lamp("desk")


@ON_RABBITMQ
def test_a_message_that_it_may_not_send_is_logged(bench: ConfinedBench, caplog: pytest.LogCaptureFixture):
    """The broker refuses the message, and the connection goes on."""
    client, peer = bench.caller(), bench.confined()
    peer.start()
    bench.serve(Keeper(), "a", peer=peer)
    restored: queue.Queue[None] = queue.Queue()
    peer.transport.on_restored = lambda: restored.put(None)

    peer.transport.publish(
        Message(body=b"{}", exchange=f"{bench.exchange}.reply", routing_key="reply_of_another", message_id="1")
    )

    assert bench.client(client).on("a").get(CTXT, "desk") == Lamp("desk")
    assert "does not take a message: ACCESS_REFUSED" in caplog.text
    assert restored.empty()


@ON_RABBITMQ
def test_a_message_that_the_broker_forwarded_is_denied(bench: ConfinedBench):
    """Where a host can have a message to it forwarded by its lane, still in the sender's name, it is denied."""
    keeper, told = Keeper(), queue.Queue[rpc.Denial]()
    client = bench.caller(user="conductor")
    server = bench.serve(keeper, "b", on_denied=told.put)
    server.hear([bench.user])
    place = f"{bench.topic}.a"
    letters = {"x-message-ttl": 0, "x-dead-letter-exchange": bench.lane, "x-dead-letter-routing-key": bench.topic}
    attacker = amqp.Connection(bench.url.rpartition("@")[2].strip("/"), userid=bench.user, password=PASSWORD)
    attacker.connect()
    with attacker.channel() as channel:
        channel.queue_declare(f"{place}.trap", durable=True, auto_delete=False, arguments=letters)
        operator = amqp.Connection(bench.url.rpartition("@")[2].strip("/"), userid=broker.USER, password=PASSWORD)
        operator.connect()
        operator.channel().queue_bind(f"{place}.trap", bench.exchange, place)  # the host may not
        operator.close()

        bench.client(client).on("a").switch(CTXT, Lamp("desk"))

        denial = told.get(timeout=PATIENCE)
    attacker.close()
    assert (denial.caller, denial.method, denial.object) == ("conductor", "switch", f"{place}.trap")
    assert keeper.asked.empty()
