"""The operator's command: ``python -m metering.ask totals | read HOST | interval SECONDS``."""

import argparse
from collections.abc import Sequence

from metering import process
from metering.api import AgentAPI, MeterAPI
from mininova import rpc


def totals(peer: rpc.Peer, args: argparse.Namespace) -> None:
    """Print what was used, by host and meter."""
    for total in MeterAPI(peer).totals({}, args.host):
        print(f"{total.host:12} {total.meter:8} {total.amount:14,.2f} in {total.samples} samples")


def read(peer: rpc.Peer, args: argparse.Namespace) -> None:
    """Print a meter as it stands now, or give up after five seconds."""
    print(f"{AgentAPI(peer).on(args.host).within(5).read({}, args.meter):,.2f}")


def interval(peer: rpc.Peer, args: argparse.Namespace) -> None:
    """Tell every agent how often to report; no answer comes."""
    AgentAPI(peer).set_interval({}, args.seconds)


def main(argv: Sequence[str] | None = None) -> None:
    """Ask one thing."""
    parser = process.parser("Ask the meter servers and their agents.")
    commands = parser.add_subparsers(required=True)
    asked = commands.add_parser("totals", help="what was used")
    asked.add_argument("host", nargs="?")
    asked.set_defaults(ask=totals)
    asked = commands.add_parser("read", help="a meter of one host, now")
    asked.add_argument("host")
    asked.add_argument("meter", nargs="?", default="cpu")
    asked.set_defaults(ask=read)
    asked = commands.add_parser("interval", help="how often all agents report")
    asked.add_argument("seconds", type=float)
    asked.set_defaults(ask=interval)
    args = parser.parse_args(argv)
    peer = process.peer(args, "ask")
    peer.start()
    try:
        args.ask(peer, args)
    finally:
        peer.stop()


if __name__ == "__main__":
    process.run(main)
