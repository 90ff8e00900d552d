"""Each fault of the broker in memory, one at a time; test_memory_promises.py has them all at once."""

from contextlib import suppress

import pytest

from mininova import rpc
from mininova.rpc.transports.base import TOPIC, Subscription
from mininova.rpc.transports.memory import MemoryTransport
from mininova.rpc.transports.memory_faults import Faults
from tests.fixtures.rpc_bench import Keeper, Lamp, MemoryBench

SEEDS = range(20)


class Bench(MemoryBench):
    """A broker in memory whose peers can be told apart."""

    def transport(self):
        """Make one process's connection, the next in ``peer-0``, ``peer-1``…"""
        return MemoryTransport(self.broker, user_id="mininova", name=f"peer-{len(self.peers)}")


@pytest.fixture
def bench():
    """Give a broker in memory."""
    return Bench()


def names(keeper):
    """Give what a keeper was asked to switch, in order."""
    return [asked[0].name for _, asked in list(keeper.asked.queue)]


# ---- lost, doubled


def test_a_lost_call_times_out_at_once(bench):
    """Nothing is left that could answer, so the caller does not wait."""
    bench.serve(Keeper())
    bench.broker.suffer(Faults(drop=1.0))

    with pytest.raises(rpc.MessagingTimeout):
        bench.client().within(3600).get({}, "desk")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_confirmed_message_is_never_lost(bench, seed):
    """Its publisher loses the connection instead, and cannot know; its handler may lose the connection, too."""
    keeper, client = Keeper(), bench.client()
    bench.serve(keeper)
    bench.broker.suffer(Faults(seed=seed, drop=0.2))
    for number in range(10):
        client.switch({}, Lamp(str(number)))
    bench.broker.suffer(Faults())

    bench.broker.run()

    assert set(names(keeper)) == {str(number) for number in range(10)}


def test_a_lost_acknowledgement_brings_the_message_back(bench):
    """The message is flagged as redelivered: its handler may have done the work."""
    deliveries = []
    listener, publisher = bench.peer(), bench.peer()
    listener.transport.subscribe(
        Subscription(queue="q", exchange=bench.exchange, kind=TOPIC, routing_key="q", on_delivery=deliveries.append)
    )
    bench.request(publisher, b"{}", routing_key="q")
    bench.broker.deliver_one()
    bench.broker.suffer(Faults(drop=1.0))
    deliveries[0].ack()
    bench.broker.suffer(Faults())
    bench.broker.run()

    assert [delivery.redelivered for delivery in deliveries] == [False, True]


def test_casts_are_doubled_and_calls_are_not(bench):
    """A call is sent once, so there is no second copy."""
    keeper = Keeper()
    bench.serve(keeper)
    bench.broker.suffer(Faults(duplicate=1.0))
    bench.client().switch({}, Lamp("desk"))
    bench.client().toggle({}, "hall")
    bench.broker.run()

    assert [method for method, _ in list(keeper.asked.queue)] == ["toggle", "switch", "switch"]


def test_only_some_messages_suffer(bench):
    """A test may choose the messages that a fault is for."""
    keeper = Keeper()
    bench.serve(keeper)
    bench.broker.suffer(Faults(duplicate=1.0, only=lambda message: b"desk" in message.body))
    for name in "desk", "hall":
        bench.client().switch({}, Lamp(name))
    bench.broker.run()

    assert names(keeper) == ["desk", "desk", "hall"]


# ---- late, out of order


def test_a_late_message_is_overtaken(bench):
    """It comes at its own time."""
    came = []
    bench.serve(Keeper(switch=lambda lamp, colour: came.append((lamp.name, bench.broker.now > 0))))
    bench.broker.suffer(Faults(delay=1.0, longest=10.0, only=lambda message: b"slow" in message.body))
    for name in "slow", "quick":
        bench.client().switch({}, Lamp(name))
    bench.broker.run()

    assert came == [("quick", False), ("slow", True)]


def test_an_answer_that_comes_too_late_is_dropped(bench):
    """The caller has given up; the next call does not get this answer."""
    bench.serve(Keeper(toggle=lambda name: name == "desk"))
    client = bench.client().within(1)
    bench.broker.suffer(Faults(delay=1.0, longest=1000.0, only=lambda message: b'\\"result\\":true' in message.body))
    with pytest.raises(rpc.MessagingTimeout):
        client.toggle({}, "desk")

    assert client.within(2000).toggle({}, "hall") is False


def test_another_order_loses_nothing(bench):
    """All messages come once each, and with some seeds in another order."""
    orders = set()
    for seed in SEEDS:
        bench, keeper = Bench(), Keeper()
        bench.serve(keeper)
        bench.broker.suffer(Faults(seed=seed, reorder=0.5))
        client = bench.client()
        for name in "abc":
            client.switch({}, Lamp(name))
        bench.broker.run()
        orders.add("".join(names(keeper)))

    assert {"".join(sorted(order)) for order in orders} == {"abc"}
    assert len(orders) > 3


def test_a_cast_may_be_handled_while_a_caller_waits():
    """Another process may handle it; one that is in the middle of a message may not."""
    stories = {" ".join(story_of_two_hosts(seed)) for seed in SEEDS}

    assert any("begins meanwhile ends" in story for story in stories)
    assert not any("begins begins" in story for story in stories)


def story_of_two_hosts(seed):
    """Host a asks host b something twice, while b has other work."""
    bench, story = Bench(), []
    asker = bench.peer()

    def ask(lamp, colour):
        story.append("begins")
        bench.client(asker).on("b").get({}, "hall")
        story.append("ends")

    bench.serve(Keeper(switch=ask), "a", peer=asker)
    bench.serve(Keeper(switch=lambda lamp, colour: story.append("meanwhile")), "b")
    bench.broker.suffer(Faults(seed=seed, reorder=0.7))
    for host in "aab":
        bench.client().on(host).switch({}, Lamp("desk"))
    bench.broker.run()
    return story


# ---- partitions


def test_a_peer_that_is_cut_off_hears_nothing_until_it_is_healed(bench):
    """Messages to it wait."""
    keeper, client = Keeper(), bench.client()
    server = bench.serve(keeper)
    bench.broker.partition(server.peer.transport.name)
    client.switch({}, Lamp("desk"))
    bench.broker.run()
    assert keeper.asked.empty()

    bench.broker.heal()
    bench.broker.run()

    assert names(keeper) == ["desk"]


@pytest.mark.parametrize("method", ["switch", "toggle", "get"])
def test_a_peer_that_is_cut_off_cannot_send(bench, method):
    """Its message waits until its deadline, and the error then says that nothing was sent."""
    client = bench.client()
    bench.serve(Keeper())
    bench.broker.partition("peer-0")

    with pytest.raises(rpc.MessagingTimeout) as caught:
        getattr(client, method)({}, Lamp("desk") if method == "switch" else "desk")
    assert caught.value.definite


def test_a_sender_goes_on_when_the_partition_heals_in_time(bench):
    """Its message is sent then."""
    client = bench.client()
    bench.serve(Keeper())
    bench.broker.partition("peer-0")
    bench.broker.later(5, bench.broker.heal)

    assert client.within(10).get({}, "desk") == Lamp("desk")
    assert bench.broker.now == 5


def test_a_message_in_hand_goes_to_another_peer(bench):
    """The broker gives the message to another peer, and ignores what the first says of it later."""
    kept = []
    bench.serve(Keeper(), "a", spawn=lambda handle, *args: kept.append(args[-1]))
    bench.client().switch({}, Lamp("desk"))
    bench.broker.run()
    heir = Keeper()
    bench.serve(heir, "b")
    bench.broker.partition("peer-0")
    kept[0].ack()

    bench.broker.run()

    assert names(heir) == ["desk"]


def test_a_healed_peer_learns_of_it(bench):
    """Only the peer that was cut off learns that it is connected again, and only once."""
    told = []
    for name in "peer-0", "peer-1":
        bench.peer().transport.on_restored = lambda name=name: told.append(name)
    bench.broker.partition("peer-1")
    bench.broker.heal()
    bench.broker.heal()

    assert told == ["peer-1"]


# ---- the same again


def everything(seed):
    """Let every fault happen; give what was done, by which peer, and when."""
    bench, done = Bench(), []
    for host in "ab":
        keeper = Keeper(switch=lambda lamp, colour, host=host: done.append((bench.broker.now, host, lamp.name)))
        bench.serve(keeper, host)
    client = bench.client()
    bench.broker.suffer(Faults(seed=seed, drop=0.1, duplicate=0.1, delay=0.1, reorder=0.2, partition=0.05))
    for number in range(10):
        with suppress(rpc.MessagingTimeout):
            client.switch({}, Lamp(str(number)))
        bench.broker.deliver_one()
    bench.broker.run()
    return done


def test_a_seed_is_a_run():
    """The same seed gives the same deliveries at the same times, and another one others."""
    runs = [everything(seed) for seed in SEEDS]

    assert runs == [everything(seed) for seed in SEEDS]
    assert len({str(run) for run in runs}) == len(SEEDS)
