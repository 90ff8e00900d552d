"""Messages that the broker refuses from a sender: the sender gets an error at once, and other messages pass.

On RabbitMQ only, for the memory broker has no permissions.
"""

import queue
from collections.abc import Iterator

import pytest

from mininova import rpc
from mininova.rpc import envelope
from mininova.rpc.transports.base import Message
from mininova.trust.broker import definitions
from tests.fixtures.private_broker import PASSWORD, PrivateBroker
from tests.fixtures.rpc_bench import CTXT, PATIENCE, AMQPBench, Keeper, Lamp


class LimitedBench(AMQPBench):
    """A bench with a user that may send requests to the host ``a`` of the lamps, and to no other."""

    def __init__(self, broker: PrivateBroker) -> None:
        super().__init__(broker.url)
        self.broker, self.user = broker, f"limited-{self.mark}"

    def limit(self) -> None:
        """Make the user."""
        who, everything = {"user": self.user, "vhost": "/"}, dict.fromkeys(("configure", "write", "read"), ".*")
        keys = {"exchange": self.exchange, "write": rf"^{self.topic}\.a$", "read": ".*"}
        wanted = {
            "users": [definitions.user(self.user, PASSWORD)],
            "permissions": [{**who, **everything}],
            "topic_permissions": [{**who, **keys}],
        }
        self.broker.define(wanted)


@pytest.fixture
def bench(private_broker: PrivateBroker) -> Iterator[LimitedBench]:
    """Give a bench with its limited user."""
    made = LimitedBench(private_broker)
    made.limit()
    yield made
    made.close()


def test_a_cast_that_may_not_be_sent_is_refused_at_once(bench: LimitedBench):
    """The error has the address and the missing right; the message is not sent again, and the connection goes on."""
    bench.serve(Keeper())
    peer = bench.peer(user=bench.user)
    live = peer.transport._live

    with pytest.raises(rpc.MessageRefused) as caught:
        bench.client(peer).on("b").switch(CTXT, Lamp("desk"))

    assert f"{bench.topic}.b on the exchange '{bench.exchange}': ACCESS_REFUSED" in str(caught.value)
    assert "needs the permission" in str(caught.value)
    assert bench.client(peer).on("a").get(CTXT, "desk") == Lamp("desk")
    assert peer.transport._live is live


def test_a_cast_that_is_refused_costs_the_others_nothing(bench: LimitedBench):
    """Many are published at once on one connection: the permitted ones arrive, and the others get an error."""
    arrived = bench.listen(f"{bench.topic}.a")
    peer, outcomes = bench.peer(user=bench.user), queue.Queue[tuple[str, str]]()
    live = peer.transport._live

    def cast(host: str, name: str) -> None:
        try:
            bench.client(peer).on(host).switch(CTXT, Lamp(name))
            outcomes.put((host, "sent"))
        except rpc.RPCError as error:
            outcomes.put((host, type(error).__name__))

    for number in range(40):
        bench.spawn(cast, "b" if number % 8 == 3 else "a", f"lamp {number}")

    ends = [outcomes.get(timeout=PATIENCE) for _ in range(40)]
    assert sorted(set(ends)) == [("a", "sent"), ("b", "MessageRefused")]
    wanted = {number for number in range(40) if number % 8 != 3}
    while wanted:
        body = envelope.unpack(bench.next(arrived).body)
        wanted.discard(int(body["args"]["lamp"]["name"].removeprefix("lamp ")))
    assert peer.transport._live is live


def test_a_message_in_anothers_name_is_refused_at_once(bench: LimitedBench):
    """A message that the broker refuses for any reason is not sent to it again."""
    transport = bench.peer().transport
    live = transport._live
    forged = Message(body=b"", exchange=bench.exchange, routing_key="any", message_id="1", user_id="somebody")

    with pytest.raises(rpc.MessageRefused, match="PRECONDITION_FAILED"):
        transport.publish_confirmed(forged, PATIENCE)

    assert transport._live is live
