"""Messages that are lost on purpose: which ones a rule picks, and what a peer does with them."""

import pytest

from mininova import rpc
from mininova.rpc.losses import Losing, Loss, Losses
from tests.fixtures.rpc_bench import CTXT, Keeper, Lamp, MemoryBench


def lost(rule: Loss, *messages: tuple[str, str]) -> list[int]:
    """Tell which messages a rule loses, by their places from 1: (sender, method) each."""
    losing = Losing(Losses((rule,)))
    return [place for place, message in enumerate(messages, 1) if losing.strikes(*message)]


@pytest.mark.parametrize(
    ("nth", "times", "places"), [(1, 1, [1]), (3, 1, [3]), (2, 3, [2, 3, 4]), (1, 9, [1, 2, 3, 4, 5]), (6, 1, [])]
)
def test_so_many_from_the_nth_on(nth: int, times: int, places: list[int]):
    """The messages of others are not counted."""
    rule = Loss(method="build_instance", nth=nth, times=times)
    losing = Losing(Losses((rule,)))
    struck = []
    for place in range(1, 6):
        assert losing.strikes("conductor.ctl-1", "reboot_instance") is None
        struck += [place] if losing.strikes("conductor.ctl-1", "build_instance") else []
    assert struck == places


@pytest.mark.parametrize(
    ("sender", "places"),
    [
        ("*", [1, 2, 3, 4]),
        ("conductor", [1, 2]),
        ("conductor.ctl-2", [2]),
        ("compute", [4]),
        ("compute.host-*", [4]),
        ("comp", []),
        ("ctl-1", []),
    ],
)
def test_of_some_senders(sender: str, places: list[int]):
    """A service, one on a host, or a pattern of them."""
    senders = ("conductor.ctl-1", "conductor.ctl-2", "api.ctl-1", "compute.host-1")
    rule = Loss(method="*_instance", sender=sender, times=9)
    assert lost(rule, *((name, "update_instance") for name in senders)) == places


def test_each_rule_counts_for_itself():
    """Also a message that another rule loses; why it is lost is told."""
    losing = Losing(Losses((Loss(method="a"), Loss(method="*", sender="api", nth=2))))
    said = [str(losing.strikes("api.ctl-1", "a")) for _ in range(3)]
    assert said == ["number 1 of a from any sender", "number 2 of * from api", "None"]


@pytest.fixture
def bench():
    return MemoryBench()


def losing(bench: MemoryBench, *rules: Loss, **how) -> tuple[rpc.Peer, list[str]]:
    """Make a peer that loses messages, and give the kinds of events that it tells of."""
    rules_in_force, events = Losing(Losses(rules)), list[rpc.MessageEvent]()
    peer = bench.peer(losses=lambda: rules_in_force, watch=rpc.Flow(events.append), **how)
    return peer, events


def test_a_lost_cast(bench, caplog):
    """Its sender goes on, its receiver does not hear of it, and the flow and the log say why; the next one arrives."""
    keeper = Keeper()
    bench.serve(keeper)
    peer, events = losing(bench, Loss(method="switch", sender="client"))
    for name in ("desk", "door"):
        bench.client(peer).switch({"request_id": "req-1"}, Lamp(name))
    assert bench.next(keeper.asked) == ("switch", (Lamp("door"), "white"))
    first, loss, second = events
    assert [event.kind for event in events] == ["sent", "lost", "sent"]
    assert loss.message_id == first.message_id != second.message_id
    assert (loss.sender, loss.receiver, loss.method, loss.request_id) == ("client", bench.topic, "switch", "req-1")
    assert loss.error == "LostOnPurpose: number 1 of switch from client"
    line = (
        f"client loses message {first.message_id} (switch) to {bench.topic} on purpose: number 1 of switch from client"
    )
    assert caplog.messages == [line]


def test_a_lost_call_is_asked_again(bench):
    """If to ask twice does no harm; when no copy arrives, its caller has waited in vain."""
    bench.serve(keeper := Keeper())
    peer, events = losing(bench, Loss(method="get", times=2))
    assert bench.client(peer).get(CTXT, "desk") == Lamp("desk")
    assert [event.kind for event in events] == ["sent", "lost", "resent", "lost", "resent"]
    assert keeper.asked.qsize() == 1
    peer, events = losing(bench, Loss(method="toggle"))
    with pytest.raises(rpc.MessagingTimeout, match="may have done it or not"):
        bench.client(peer).toggle(CTXT, "desk")
    assert [event.kind for event in events] == ["sent", "lost"]


def test_a_lost_fanout(bench):
    """No one hears it."""
    keepers = Keeper(), Keeper()
    for host, keeper in zip("ab", keepers, strict=True):
        bench.serve(keeper, host)
    peer, events = losing(bench, Loss(method="dim"))
    for percent in (10, 20):
        bench.client(peer).dim(CTXT, percent)
    bench.deliver()
    assert [list(keeper.asked.queue) for keeper in keepers] == [[("dim", 20)]] * 2
    assert [event.receiver for event in events if event.kind == "lost"] == [bench.topic]
