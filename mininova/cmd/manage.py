"""mininova-manage: what an operator does beside the running services.  The table of its commands."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from oslo_config.cfg import ConfigOpts

from mininova import conf as settings
from mininova import rpc
from mininova.cmd import arguments
from mininova.manage import bootstrap, database, hosts, parked, services
from mininova.service import Process

PURPOSE = "Look after a mininova cloud: its database, its services and hosts, its messages, its first users."


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code is 0, or 2 after one line that says what is wrong."""
    parsed = _parser().parse_args(argv)
    return arguments.run("mininova-manage", lambda: _run(parsed))


def _run(parsed: argparse.Namespace) -> None:
    conf = settings.read_files("manage", arguments.config_files(parsed))
    parsed.command(conf, parsed)


def _parser() -> argparse.ArgumentParser:
    parser, subject = arguments.parser("mininova-manage", PURPOSE)

    db = arguments.adder(subject("db", None, "make or upgrade the tables"))
    db("upgrade", database.upgrade, "bring the database to the schema of this code; an empty one gets all tables")
    db("version", database.version, "print the schema of the database, and the one that this code needs")
    db("check", database.check, "fail unless the two are the same")

    service = arguments.adder(subject("service", None, "see the services"))
    service("list", services.show, "list the services, and whether each is up")
    delete = service("delete", services.delete, "forget a service that is gone for good")
    delete.add_argument("service", metavar="ID|BINARY@HOST", help="such as nova-compute@host-3")

    host = arguments.adder(subject("host", None, "see the compute hosts"))
    host("list", hosts.show, "list the compute hosts, and how much of their room is promised")
    host("discover", hosts.discover, "say of each compute host whether it can be scheduled to, and if not, why")

    messages = arguments.adder(subject("rpc", None, "look after the messages between the services"))
    _add_parked(arguments.adder(messages("parked", None, "see the casts that were given up, and decide on them")))

    first = subject("bootstrap", bootstrap.run, "make the first users, projects, flavors and image; again does no harm")
    for name in ("admin", "demo"):
        variable = f"MININOVA_{name.upper()}_PASSWORD"
        first.add_argument(
            f"--{name}-password",
            default=os.environ.get(variable),
            metavar="PASSWORD",
            help=f"the password of the user {name}; better given as {variable} in the environment",
        )
    return parser


def _add_parked(command: arguments.AddCommand) -> None:
    """Add what can be done with parked casts; each takes ``--topic``, and those that settle one or ``--all``."""
    named = "its id, or as much of it as tells it from others"
    listing = command("list", _over_the_broker(parked.overview), "list the parked casts, and why each was given up")
    show = command("show", _over_the_broker(parked.show), "show all that is known of one")
    show.add_argument("message", metavar="MESSAGE", help=named)
    requeue = command("requeue", _over_the_broker(parked.requeue), "send them to where they were sent first, once more")
    drop = command("drop", _over_the_broker(parked.drop), "forget them, for good")
    for settling in (requeue, drop):
        chosen = settling.add_mutually_exclusive_group(required=True)
        chosen.add_argument("message", nargs="?", metavar="MESSAGE", help=named)
        chosen.add_argument("--all", action="store_true", help="all that are parked")
    for each in (listing, show, requeue, drop):
        each.add_argument("--topic", help=f"only of this topic: {', '.join(parked.TOPICS)}")


def _over_the_broker(work: Callable[[rpc.Peer, argparse.Namespace], None]) -> arguments.Command:
    """Make a command that talks to the broker while it runs."""

    def command(conf: ConfigOpts, parsed: argparse.Namespace) -> None:
        process = Process(conf, "manage")
        process.connect()
        try:
            work(process.peer, parsed)
        finally:
            process.stop()

    return command


if __name__ == "__main__":
    sys.exit(main())
