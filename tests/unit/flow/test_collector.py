"""The collector reads reports from the exchange and writes them to the disk."""

import subprocess
import sys
import threading
from pathlib import Path

import msgspec
import pytest

from mininova.flow.collector import MAX_REPORTS, Collector, subscription
from mininova.flow.reports import SERVICES
from mininova.flow.store import Reader, Writer
from mininova.rpc.transports.base import Message
from mininova.rpc.transports.memory import MemoryBroker, MemoryTransport
from mininova.rpc.watch.flow import EXCHANGE, KEY

REQUEST = "req-11111111-2222-3333-4444-555555555555"

FLOODED = """
import mininova.cmd, threading
from mininova.flow.collector import subscription
from mininova.rpc.transports.base import Delivery, Message

taken, turns, flooded = [], [], threading.Event()
other = threading.Thread(target=lambda: flooded.wait(30) and turns.append(len(taken)))
read = subscription(taken.append, "flow_tail", enforce=False).on_delivery
report = Message(body=b'[{"kind": "sent", "at": 1.0}]', exchange="", routing_key="", message_id="1", user_id="api")
other.start()
flooded.set()
for _ in range(10):
    read(Delivery(report, False, lambda done: None))
assert turns and turns[0] < 10, turns
"""


@pytest.fixture
def publish(tmp_path: Path):
    """Give a collector behind a broker, and a function that publishes to it."""
    broker = MemoryBroker()
    transport = MemoryTransport(broker, user_id="api")
    writer = Writer(tmp_path, keep=10)
    collector = Collector(writer)
    transport.subscribe(subscription(collector.take, "flow_collector", enforce=False))

    def publish(body: bytes) -> None:
        transport.publish(Message(body=body, exchange=EXCHANGE, routing_key=KEY, message_id="1", user_id="api"))
        broker.run()
        collector.write()

    yield publish
    writer.close()


def test_reported_events_are_stored(publish, tmp_path: Path, boot):
    """The events of a report on the exchange are on the disk."""
    publish(msgspec.json.encode(boot))
    assert Reader(tmp_path).events(REQUEST) == boot


@pytest.mark.parametrize("body", [b"", b"{}", b'[{"kind": 1}]', b"\xff"])
def test_a_bad_report_is_dropped(publish, tmp_path: Path, boot, body: bytes):
    """A report that cannot be read is skipped."""
    publish(body)
    publish(msgspec.json.encode(boot))
    assert len(Reader(tmp_path).requests()) == 1


def test_a_full_disk_loses_reports_only(boot, caplog: pytest.LogCaptureFixture):
    """If the disk cannot be written to, the collector logs it and goes on."""

    class FullDisk:
        def add(self, events) -> None:
            raise OSError(28, "No space left on device")

    collector = Collector(FullDisk())
    collector.take({SERVICES: boot})
    collector.write()
    assert "No space left" in caplog.text


def test_reports_are_written_together(boot):
    """What one request was told in several reports is one addition; many reports do not wait for their moment."""
    added = []

    class Disk:
        def add(self, told) -> None:
            added.append({sender: len(events) for sender, events in told.items()})

    collector = Collector(Disk())
    for _ in range(MAX_REPORTS + 2):
        collector.take({SERVICES: boot[:1], "compute.host-1": boot[:2]})
    collector.write()
    collector.write()

    assert added == [{SERVICES: n, "compute.host-1": 2 * n} for n in (MAX_REPORTS, 2)]


def test_a_report_alone_is_written(boot):
    """It waits for a moment, and at the end for none."""
    added, written = [], threading.Event()

    class Disk:
        def add(self, told) -> None:
            added.extend(told)
            written.set()

    collector = Collector(Disk())
    collector.start()
    collector.take({SERVICES: boot})
    assert written.wait(30)
    collector.take({"compute.host-1": boot})
    collector.stop()

    assert added == [SERVICES, "compute.host-1"]


def test_a_reader_of_a_flood_lets_others_run():
    """Reports that come faster than they are read leave other green threads their turn; nothing here waits for one."""
    subprocess.run([sys.executable, "-W", "ignore", "-c", FLOODED], check=True, timeout=60)
