"""What a message has waited in its receiver's hands is not left for the work: over memory and over RabbitMQ."""

from typing import Any

import pytest

from mininova import rpc
from tests.fixtures.rpc_bench import CTXT, Bench, Keeper, Lamp


def after(seconds: float, spawn: rpc.server.Spawn) -> rpc.server.Spawn:
    """Make a spawn whose handlers begin late: as if others had kept them waiting for so long."""

    def late(handle: Any, *args: Any) -> None:
        args[-1].arrived -= seconds
        spawn(handle, *args)

    return late


def test_a_handler_has_what_waiting_left_it(bench: Bench):
    """It waited for 60 of 100 seconds, and has the other 40."""
    keeper = Keeper()
    bench.serve(keeper, spawn=after(60, bench.spawn))

    assert bench.client().within(100).get(CTXT, "desk") == Lamp("desk")
    assert keeper.left[0] <= 40


def test_what_has_waited_too_long_is_not_begun(bench: Bench):
    """Its caller hears at once that nothing was done, if it is still there."""
    keeper = Keeper()
    bench.serve(keeper, spawn=after(200, bench.spawn))

    with pytest.raises(rpc.MessagingTimeout, match="get was not begun: it had waited too long") as caught:
        bench.client().within(100).get(CTXT, "desk")
    assert caught.value.definite
    assert keeper.asked.empty()


def test_a_cast_may_wait(bench: Bench):
    """Nobody set it a deadline."""
    keeper = Keeper()
    bench.serve(keeper, spawn=after(200, bench.spawn))

    bench.client().switch(CTXT, Lamp("desk"))

    assert bench.next(keeper.asked) == ("switch", (Lamp("desk"), "white"))
