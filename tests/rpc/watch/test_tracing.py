"""W3C Trace Context: which headers are read, which are ignored, and what a handler's own messages carry."""

import subprocess
import sys
import threading

import pytest

from mininova import rpc
from mininova.rpc.watch import tracing
from mininova.rpc.watch.tracing import Trace
from tests.fixtures.rpc_bench import CTXT, Keeper, Lamp, MemoryBench

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
GOOD = f"00-{TRACE}-{PARENT}-01"


def read(traceparent, tracestate=""):
    """Read the two headers."""
    return tracing.read({"traceparent": traceparent, "tracestate": tracestate})


def test_a_traceparent_is_read():
    """It holds the trace id, the parent id and whether the trace is sampled."""
    assert read(GOOD) == Trace(TRACE, PARENT, sampled=True)
    assert read(f"00-{TRACE}-{PARENT}-00") == Trace(TRACE, PARENT, sampled=False)


@pytest.mark.parametrize(
    "malformed",
    [
        "",
        "hello",
        GOOD.upper(),
        GOOD + " ",
        GOOD + "\n",
        GOOD + "-",
        GOOD + "-more",
        GOOD + "," + GOOD,
        GOOD[:-1],
        GOOD.replace("-", "_"),
        f"00-{TRACE[1:]}-{PARENT}-01",
        f"00-{TRACE}-{PARENT[1:]}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{PARENT}-0x",
        f"00-{TRACE[:-1]}٣-{PARENT}-01",
        f"ff-{TRACE}-{PARENT}-01",
        f"0-{TRACE}-{PARENT}-01",
        f"01-{TRACE}-{PARENT}-01more",
    ],
)
def test_a_malformed_traceparent_is_ignored(malformed):
    """It is ignored, and so is a tracestate beside it."""
    assert read(malformed, "a=1") is None


@pytest.mark.parametrize("later", [f"01-{TRACE}-{PARENT}-01", f"cc-{TRACE}-{PARENT}-09-what-the-future-holds"])
def test_a_later_version_is_sent_on_as_ours(later):
    """The recommendation has it so: the parts that we know are kept, the rest is left out."""
    trace = read(later)

    assert trace.headers() == {"traceparent": GOOD}


@pytest.mark.parametrize("state", ["rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "fw529a3039@dt=FfAuBA", "a=1, b=2 x"])
def test_a_tracestate_is_handed_on(state):
    """The members keep their order and their contents."""
    assert read(GOOD, state).headers()["tracestate"] == state.replace(", ", ",")


@pytest.mark.parametrize(
    "state",
    [
        "",
        ",",
        "a",
        "A=1",
        "a=",
        "a=1,a=2",
        "a=1,b",
        "a=ä",
        "a=1=2",
        "a=" + "x" * 600,
        ",".join(f"k{n}=1" for n in range(33)),
    ],
)
def test_a_tracestate_that_is_malformed_is_dropped(state):
    """The trace goes on without it."""
    assert read(GOOD, state) == Trace(TRACE, PARENT, sampled=True)


def test_without_a_trace_nothing_is_sent():
    """A process without a trace does not begin one."""
    assert tracing.current() is None
    assert tracing.onward() == {}


def test_a_message_goes_on_with_a_parent_id_of_its_own():
    """The trace, the flag and the state stay; each message has an id of its own, the parent of what follows."""
    with tracing.continuing({"traceparent": GOOD, "tracestate": "a=1"}):
        one, other = tracing.read(tracing.onward()), tracing.read(tracing.onward())

    assert {trace.trace_id for trace in (one, other)} == {TRACE}
    assert len({PARENT, one.parent_id, other.parent_id}) == 3
    assert (one.sampled, one.state) == (True, "a=1")


def test_a_trace_ends_with_its_block():
    """The outer trace holds again, also when the block raised, and also around a block without a trace."""
    with tracing.continuing({"traceparent": GOOD}):
        with pytest.raises(KeyError), tracing.continuing({"traceparent": GOOD.replace("b7", "c8")}):
            raise KeyError
        for nothing in {}, {"traceparent": "nonsense"}:
            with tracing.continuing(nothing):
                assert tracing.current() is None
        assert tracing.current() == Trace(TRACE, PARENT, sampled=True)
    assert tracing.current() is None


def test_a_trace_is_its_threads_own():
    """Handlers run beside each other, each for its own."""
    seen = []
    with tracing.continuing({"traceparent": GOOD}):
        thread = threading.Thread(target=lambda: seen.append(tracing.current()))
        thread.start()
        thread.join()

    assert seen == [None]


def test_a_trace_is_its_green_threads_own():
    """Under eventlet, too, green threads that take turns keep their own."""
    program = f"""
import mininova.cmd, eventlet
from mininova.rpc.watch import tracing

def work(number):
    with tracing.continuing({{"traceparent": f"00-{{number:032x}}-{PARENT}-01"}}):
        eventlet.sleep(0)
        done.append(int(tracing.current().trace_id, 16) == number)

done = []
with tracing.continuing({{"traceparent": "{GOOD}"}}):
    eventlet.spawn_n(lambda: done.append(tracing.current() is None))
    for number in range(1, 4):
        eventlet.spawn_n(work, number)
    eventlet.sleep(0.01)
    print(done, tracing.current().trace_id)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == f"{[True] * 4} {TRACE}\n"


def test_a_notification_carries_the_trace():
    """A listener learns which trace the notification belongs to."""
    bench = MemoryBench()
    heard = bench.listen("told.info")
    with tracing.continuing({"traceparent": GOOD}):
        rpc.Notifier(bench.peer(), "lamp.a", topic="told").info(CTXT, "lamp.broken", {})

    assert tracing.read(bench.next(heard).headers).trace_id == TRACE


def test_the_events_of_a_message_name_its_trace():
    """A reader who has a trace id finds its messages in the flow."""
    bench, events = MemoryBench(), list[rpc.MessageEvent]()
    bench.serve(Keeper(), watch=rpc.Flow(events.append))
    client = bench.client(bench.peer(watch=rpc.Flow(events.append)))

    with tracing.continuing({"traceparent": GOOD}):
        client.get(CTXT, "desk")
    client.get(CTXT, "hall")

    assert [event.trace_id for event in events] == [TRACE] * 3 + [None] * 3


def test_a_cast_is_handled_in_its_own_trace():
    """A cast that is delivered while a call of another trace waits is handled under its own trace."""
    bench, traces = MemoryBench(), []
    bench.serve(Keeper(switch=lambda *args: traces.append(tracing.current())))
    client = bench.client()
    client.switch(CTXT, Lamp("of no trace"))
    with tracing.continuing({"traceparent": GOOD}):
        client.switch(CTXT, Lamp("of this one"))
        client.get(CTXT, "desk")
    bench.deliver()

    assert [trace and trace.trace_id for trace in traces] == [None, TRACE]
