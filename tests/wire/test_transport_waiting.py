"""The time that a message waited in its receiver counts against its deadline: over memory and over RabbitMQ."""

from typing import Any

import pytest

from mininova import rpc
from tests.fixtures.rpc_bench import CTXT, Bench, Keeper, Lamp


def after(seconds: float, spawn: rpc.server.Spawn) -> rpc.server.Spawn:
    """Make a spawn that begins each handler late, as if others had kept it waiting."""

    def late(handle: Any, *args: Any) -> None:
        args[-1].arrived -= seconds
        spawn(handle, *args)

    return late


def test_a_handler_has_the_time_that_is_left_after_waiting(bench: Bench):
    """It waited for 60 of 100 seconds, and has the other 40."""
    keeper = Keeper()
    bench.serve(keeper, spawn=after(60, bench.spawn))

    assert bench.client().within(100).get(CTXT, "desk") == Lamp("desk")
    assert keeper.left[0] <= 40


def test_a_call_that_waited_too_long_is_not_begun(bench: Bench):
    """The caller, if it still waits, gets an error at once: nothing was done."""
    keeper = Keeper()
    bench.serve(keeper, spawn=after(200, bench.spawn))

    with pytest.raises(rpc.MessagingTimeout, match="get was not begun: it had waited too long") as caught:
        bench.client().within(100).get(CTXT, "desk")
    assert caught.value.definite
    assert keeper.asked.empty()


def test_a_cast_may_wait(bench: Bench):
    """A cast has no deadline."""
    keeper = Keeper()
    bench.serve(keeper, spawn=after(200, bench.spawn))

    bench.client().switch(CTXT, Lamp("desk"))

    assert bench.next(keeper.asked) == ("switch", (Lamp("desk"), "white"))
