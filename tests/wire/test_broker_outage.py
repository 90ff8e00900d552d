"""What callers notice when the broker dies during their calls: it is a RabbitMQ node of the
test's own, and is killed.
"""

import queue
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from mininova import rpc
from tests.fixtures.private_broker import ON_RABBITMQ, PrivateBroker
from tests.fixtures.rpc_bench import CTXT, PATIENCE, AMQPBench, Gate, Keeper, Lamp


@pytest.fixture
def bench(any_broker: PrivateBroker) -> Iterator[AMQPBench]:
    """Give a bench on a node that a test may kill; it runs again afterwards."""
    made = AMQPBench(any_broker.url)
    yield made
    made.close()


class Asking(threading.Thread):
    """A caller in a thread, which waits for its answer."""

    def __init__(self, ask: Any) -> None:
        super().__init__(daemon=True)
        self._ask, self.answer = ask, None
        self.start()

    def run(self) -> None:
        """See Thread."""
        try:
            self.answer = self._ask()
        except rpc.RPCError as error:
            self.answer = error

    def heard(self) -> Any:
        """Wait for the answer."""
        self.join(PATIENCE)
        return self.answer


def restart_under(bench: AMQPBench, broker: PrivateBroker, keeper: Keeper, ask: Any) -> tuple[Asking, Gate]:
    """Kill the broker while a handler is at work, and start it again."""
    keeper.does["get"] = keeper.does["toggle"] = gate = Gate()
    bench.serve(keeper)
    asking = Asking(lambda: ask(bench.client()))
    assert gate.entered.wait(PATIENCE)
    broker.kill()
    broker.start()
    return asking, gate


@ON_RABBITMQ
def test_an_idempotent_call_survives_the_broker(bench: AMQPBench, any_broker: PrivateBroker):
    """The request or the reply may be lost with the broker: the call is sent again when the broker is back."""
    keeper = Keeper()
    asking, gate = restart_under(bench, any_broker, keeper, lambda client: client.get(CTXT, "desk"))
    keeper.does["get"] = Lamp  # the second request is answered at once, while the first handler still works

    assert asking.heard() == Lamp("desk")
    gate.may_leave.set()


@ON_RABBITMQ
def test_a_call_that_is_not_idempotent_is_not_sent_twice(bench: AMQPBench, any_broker: PrivateBroker):
    """The caller gets a timeout, since the work may have been done; the handler runs only once."""
    keeper = Keeper()
    asking, gate = restart_under(bench, any_broker, keeper, lambda client: client.within(3).toggle(CTXT, "desk"))

    assert isinstance(asking.heard(), rpc.MessagingTimeout)
    assert keeper.asked.qsize() == 1
    gate.may_leave.set()


def test_who_is_back_first_waits_for_the_others(bench: AMQPBench, any_broker: PrivateBroker):
    """A broker that lost its disk has no queue of a server that connects again later: calls and casts wait for it.

    Storms of tools/chaos.py found that the builds of such a moment failed: seed 31, on PostgreSQL.
    """
    events = queue.Queue[rpc.MessageEvent]()
    client = bench.client(bench.peer(watch=rpc.Flow(events.put)))
    with pytest.raises(rpc.Undeliverable):
        client.switch(CTXT, Lamp("desk"))  # at once: nothing ever served it

    any_broker.lose_disk()
    asking = [Asking(ask) for ask in (lambda: client.toggle(CTXT, "desk"), lambda: client.switch(CTXT, Lamp("hall")))]
    resent = set[str]()
    while len(resent) < len(asking):
        event = bench.next(events)
        resent |= {event.message_id} if event.kind == "resent" else set()
    keeper = Keeper()
    bench.serve(keeper)

    assert [isinstance(each.heard(), rpc.RPCError) for each in asking] == [False, False]
    assert {bench.next(keeper.asked)[0] for _ in asking} == {"toggle", "switch"}


@ON_RABBITMQ
def test_an_unsent_message_is_not_done(bench: AMQPBench, any_broker: PrivateBroker):
    """A sender that knows that the broker is away says for certain of a cast and of a call that nothing was done."""
    keeper = Keeper()
    bench.serve(keeper)
    client = bench.client()
    any_broker.kill()
    try:
        with pytest.raises(rpc.MessagingTimeout):
            client.within(1).switch(CTXT, Lamp("first"))  # when this ends, the sender knows

        for ask in (lambda: client.within(0.1).switch(CTXT, Lamp("desk")), lambda: client.within(0.1).get(CTXT, "x")):
            with pytest.raises(rpc.MessagingTimeout, match="the broker is away") as caught:
                ask()
            assert caught.value.definite
    finally:
        any_broker.start()
