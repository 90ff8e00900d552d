"""What one identity that floods a server costs the others: how long a call of theirs waits, with lanes and without.

    .venv/bin/python benchmarks/rpc_flood.py [--seconds 5] [--work 0.002]

One broker of its own and three processes: a server in the place of a conductor, whose handlers take some of its one
CPU; an attacker, who sends casts as fast as the broker takes them; and this one, a compute that makes one call after
the other.  Rates and waits are of this machine; what counts is their order.
"""

import sys

import eventlet

if sys.argv[1:2] == ["serve"]:  # as in a conductor; before any other import
    eventlet.monkey_patch()

import argparse
import contextlib
import os
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT)]

from stack import broker  # noqa: E402

from mininova import rpc  # noqa: E402
from mininova.rpc import envelope  # noqa: E402
from mininova.rpc.transports.amqp import AMQPTransport  # noqa: E402
from mininova.rpc.transports.base import Message  # noqa: E402
from mininova.rpc.trust.lanes import exchange_of  # noqa: E402
from tests.fixtures.private_broker import PASSWORD, PrivateBroker  # noqa: E402

EXCHANGE, PATIENCE = "flood", 60.0  # seconds for a call
ATTACKER, OTHER = "compute.host-1", "compute.host-2"


class WorkAPI(rpc.Interface):
    """The methods of the server."""

    topic, version = "work", "1.0"

    @rpc.call(since="1.0", idempotent=True)
    def ask(self, ctxt: Any) -> int:
        """Use a little CPU."""

    @rpc.cast(since="1.0")
    def tell(self, ctxt: Any, text: str) -> None:
        """Use as little."""


class Worker:
    """Uses CPU for each message.

    :param seconds: of CPU for each
    """

    def __init__(self, seconds: float) -> None:
        self._seconds, self.told = seconds, 0

    def ask(self, ctxt: Any) -> int:
        """See WorkAPI; give the number of casts so far."""
        self._work()
        return self.told

    def tell(self, ctxt: Any, text: str) -> None:
        """See WorkAPI."""
        self._work()
        self.told += 1

    def _work(self) -> None:
        end = time.perf_counter() + self._seconds
        while time.perf_counter() < end:
            pass


def serve(url: str, seconds: float, lanes: float) -> None:
    """Be the server, until killed."""
    peer = rpc.Peer(AMQPTransport(url), name="conductor.bench", exchange=EXCHANGE)
    with peer, rpc.Server(peer, "bench", [(WorkAPI, Worker(seconds))], spawn=eventlet.spawn_n) as server:
        server.hear([ATTACKER, OTHER] if lanes else [])
        print("up", flush=True)
        threading.Event().wait()


def flood(url: str, seconds: float, lanes: float) -> None:
    """Be the attacker: publish without waiting, and count."""
    transport, sent = AMQPTransport(url), 0
    transport.start()
    body = envelope.pack_request(rpc.Request(method="tell", args={"text": "x" * 500}))
    end = time.monotonic() + seconds
    with contextlib.suppress(rpc.RPCError):  # of a broker that blocks
        while time.monotonic() < end:
            transport.publish(
                Message(
                    body=body, exchange=exchange_of(EXCHANGE, ATTACKER) if lanes else EXCHANGE, routing_key="work",
                    message_id=str(sent), persistent=True,
                    user_id=transport.user_id,
                )
            )  # fmt: skip
            sent += 1
    print(sent, flush=True)
    transport.stop()


def measure(api: WorkAPI, seconds: float) -> list[float]:
    """Make one call after the other, and give how long each took or waited."""
    waits, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        with contextlib.suppress(rpc.MessagingTimeout):
            api.within(PATIENCE).ask({})
        waits.append(time.monotonic() - began)
    return sorted(waits)


def told(what: str, waits: list[float]) -> None:
    """Print a row."""
    middle, late = waits[len(waits) // 2], waits[int(len(waits) * 0.99)]
    print(f"{what:<34} {len(waits):>6} calls   p50 {middle * 1e3:>8.1f}   p99 {late * 1e3:>8.1f}   "
          f"longest {waits[-1] * 1e3:>8.1f} ms", flush=True)  # fmt: skip


class Role:
    """Another process of this file."""

    def __init__(self, *words: object) -> None:
        command = [sys.executable, "-W", "ignore", __file__, *map(str, words)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def hear(self) -> str:
        """Wait for a line of its output."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._process.kill()
        self._process.wait()


def compare(node: PrivateBroker, options: argparse.Namespace, *, lanes: bool) -> None:
    """Measure one server, without a flood and then under one."""
    urls = {name: node.url_of(name, PASSWORD) for name in ("conductor", ATTACKER, OTHER)}
    label = "a lane for each" if lanes else "one queue for all"
    peer = rpc.Peer(AMQPTransport(urls[OTHER]), name=OTHER, exchange=EXCHANGE, trust=rpc.Trust(confined=lanes))
    with Role("serve", urls["conductor"], options.work, int(lanes)) as server:
        server.hear()
        with peer:
            told(f"{label}, in peace", measure(WorkAPI(peer), options.seconds))
            with Role("flood", urls[ATTACKER], options.seconds, int(lanes)) as attacker:
                time.sleep(0.5)  # until it is up to speed
                told(f"{label}, flooded", measure(WorkAPI(peer), options.seconds))
                print(f"{'':<34} {attacker.hear()} were sent in {options.seconds:g} s", flush=True)


def main() -> None:
    """Compare the two."""
    if len(sys.argv) > 1 and sys.argv[1] in ("serve", "flood"):
        role, url, *numbers = sys.argv[1:]
        return {"serve": serve, "flood": flood}[role](url, *map(float, numbers))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--work", type=float, default=0.002, help="seconds of CPU that a handler takes")
    options = parser.parse_args()
    server = broker.find_server(os.environ)
    if server is None:
        sys.exit("There is no RabbitMQ here: tools/install-rabbitmq.sh installs one, or set RABBITMQ_SERVER.")
    for lanes in (False, True):
        with tempfile.TemporaryDirectory(prefix="mininova-") as folder:
            node = PrivateBroker(Path(folder), server)
            node.start()
            try:
                compare(node, options, lanes=lanes)
            finally:
                node.kill()
    return None


if __name__ == "__main__":
    main()
