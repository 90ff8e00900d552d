"""mininova-manage rpc parked as a process, on a broker of its own: what it prints, and what it leaves behind."""

import queue
import re

import pytest

from mininova import rpc
from mininova.rpc.server import MOST_DELIVERIES
from tests.fixtures.local_stack import VENV, run
from tests.fixtures.rpc_bench import CTXT, AMQPBench, Keeper, Lamp, broken


@pytest.fixture
def bench(private_broker):
    """Give a broker with names of its own for everything."""
    made = AMQPBench(private_broker.url)
    yield made
    made.close()


@pytest.fixture
def manage(bench, tmp_path):
    """Run mininova-manage rpc parked for the topic of the bench, and give the result."""
    settings = tmp_path / "mininova.conf"
    settings.write_text(f"[DEFAULT]\ntransport_url = {bench.url}\ncontrol_exchange = {bench.exchange}\n")

    def manage(*words):
        program = [VENV / "mininova-manage", "--config-file", settings, "rpc", "parked"]
        return run([*program, *words, "--topic", bench.topic], {})

    return manage


def test_a_cast_that_always_fails_until_its_cause_is_gone(bench, manage):
    """It is parked, listed with the error, and shown; sent again after the cause is gone, it runs and is parked no
    more.
    """
    keeper, events = Keeper(switch=broken), queue.Queue[rpc.MessageEvent]()
    bench.serve(keeper, "a", watch=rpc.Flow(events.put))
    bench.client().on("a").switch(CTXT, Lamp("desk"))
    while (event := bench.next(events)).kind != "parked":
        pass
    tried = [bench.next(keeper.asked) for _ in range(MOST_DELIVERIES)]

    (line,) = manage("list").stdout.splitlines()[1:]
    short = line.split()[0]
    assert event.message_id.startswith(short)
    assert f"{bench.topic}.a  switch 1.0  client  req-1" in line
    assert re.search(r"s ago  \w+  LampBroken: the filament is gone$", line)
    assert '"name": "desk"' in manage("show", short).stdout

    keeper.does["switch"] = lambda *args: None
    done = manage("requeue", short)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"sent again    {event.message_id} switch 1.0 for {bench.topic}.a\n"
    assert bench.next(keeper.asked) == tried[0]
    assert manage("list").stdout == "Nothing is parked: no cast was given up.\n"


def test_complaints_are_one_line(bench, manage):
    """An error is one sentence, with exit code 2."""
    done = manage("drop", "0123")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"mininova-manage: nothing was ever parked for a topic {bench.topic}")
    assert len(done.stderr.splitlines()) == 1
