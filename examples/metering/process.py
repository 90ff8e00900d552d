"""What every program of this project has: its options, its connection, and an end that leaves nothing half done."""

import argparse
import logging
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import msgspec

from metering.api import CODEC
from mininova import rpc
from mininova.rpc.transports.amqp import AMQPTransport

LOG = logging.getLogger(__name__)

_END = {signal.SIGTERM, signal.SIGINT}
_PATIENCE = 30.0  # seconds for what is in hand, in the end


def parser(description: str) -> argparse.ArgumentParser:
    """Begin a command line with what all have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--broker", default="amqp://guest:guest@127.0.0.1:5672/", metavar="URL", help="(%(default)s)")
    parser.add_argument("--watch", action="store_true", help="print what happens to each message, as JSON")
    return parser


def peer(args: argparse.Namespace, name: str) -> rpc.Peer:
    """Make this process's end of the messaging; it connects when it is started."""
    logging.basicConfig(format=f"%(asctime)s {name} %(message)s", level=logging.INFO)
    watch = rpc.Flow(_print) if args.watch else None
    return rpc.Peer(AMQPTransport(args.broker), name=name, exchange="metering", codec=CODEC, watch=watch)


def _print(event: rpc.MessageEvent) -> None:
    print(f"{msgspec.json.encode(event).decode()}\n", end="", flush=True)  # in one piece: handlers run side by side


def run(main: Callable[[], None]) -> None:
    """Run a program; an RPC error becomes one line on the terminal."""
    try:
        main()
    except rpc.RPCError as error:
        sys.exit(f"{type(error).__name__}: {error}")


@contextmanager
def serving(peer: rpc.Peer, host: str, endpoints: Sequence[tuple[type[rpc.Interface], object]]) -> Iterator[None]:
    """Serve while the block runs; after it take nothing new, finish what was begun, and disconnect."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _END)  # every thread that begins from here on inherits it
    server = rpc.Server(peer, host, endpoints)
    peer.start()
    server.start()
    LOG.info("up")
    try:
        yield
    finally:
        if not server.stop(_PATIENCE):
            LOG.warning("not everything was finished; its messages go back to their queues")
        peer.stop()
        LOG.info("down")


def wait_for_the_end() -> None:
    """Return on SIGTERM or Ctrl-C."""
    signal.sigwait(_END)
