"""mininova-manage: the table of its commands.  What they do is in mininova/manage."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from oslo_config.cfg import ConfigOpts

from mininova import conf as settings
from mininova import rpc
from mininova.cmd import arguments
from mininova.compute.rpcapi import ComputeAPI
from mininova.conductor.rpcapi import ConductorAPI
from mininova.context import service_context
from mininova.db import identities as recorded
from mininova.flow.output import say
from mininova.manage import (
    audit,
    bootstrap,
    broker_watch,
    checkup,
    database,
    denials,
    hosts,
    identities,
    limits,
    parked,
    services,
    status,
)
from mininova.service.process import Process
from mininova.trust.directory import Directory

PURPOSE = "Look after a mininova cloud: its database, its services and hosts, its messages, its first users."


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    :return: the exit code: 0; 1 if an audit finds something; or 2 after one line that says what is wrong
    """
    parsed = _parser().parse_args(argv)
    return arguments.run("mininova-manage", lambda: _run(parsed))


def _run(parsed: argparse.Namespace) -> object:
    conf = settings.read_files("manage", arguments.config_files(parsed))
    return parsed.command(conf, parsed)


def _parser() -> argparse.ArgumentParser:
    parser, subject = arguments.parser("mininova-manage", PURPOSE)

    db = arguments.adder(subject("db", None, "make or upgrade the tables"))
    db("upgrade", database.upgrade, "bring the database to the schema of this code; an empty one gets all tables")
    version = db("version", database.version, "show the schema of the database, and the one that this code needs")
    db("check", database.check, "fail unless the two are the same")

    overall = subject("status", _status, "show whether the database, the broker and each service are there")
    service = arguments.adder(subject("service", None, "see the services"))
    listing = service("list", services.show, "list the services, and whether each is up")
    delete = service("delete", services.delete, "forget a service that is gone for good")
    delete.add_argument("service", metavar="ID|BINARY@HOST", help="such as nova-compute@host-3")

    host = arguments.adder(subject("host", None, "see the compute hosts, and let them in"))
    known = host("list", hosts.show, "list the compute hosts, and how much of their room is promised")
    usable = host("discover", hosts.discover, "list which compute hosts can be scheduled to, and why others cannot")

    _add_identities(host)
    limit = host("limit", limits.change, "show and set the most that a host may offer, also if it reports more")
    limits.arguments(limit)
    denied = arguments.adder(subject("denials", None, "see which callers were refused what"))
    refused = denied("list", denials.show, "list what callers asked for and were refused, the latest first")
    for each in (refused, denied("clear", denials.clear, "forget them")):
        each.add_argument("--caller", metavar="NAME", help="only of this broker user, such as compute.host-1")
    check = subject("check", checkup.run, "fail if anything does not protect the cloud as it should, and list what")
    check.add_argument(
        "--repair", action="store_true", help="first give the broker's users, queues and lanes the rights and bounds"
    )
    audited = subject(
        "audit", _audit, "fail if instances, claims, addresses, operations and guests disagree, and list what"
    )
    audited.add_argument(
        "--repair", action="store_true", help="mend what can be mended without harm, and say what was done"
    )
    arguments.add_format(overall, version, listing, known, usable, limit, refused, check, audited)

    broker = arguments.adder(subject("broker", None, "look after the message broker"))
    watch = broker("watch", broker_watch.run, "cut off each compute for which the broker holds too much, all the time")
    watch.add_argument("--once", action="store_true", help="look once, and end")

    messages = arguments.adder(subject("rpc", None, "look after the messages between the services"))
    _add_parked(arguments.adder(messages("parked", None, "see the casts that services gave up, and settle them")))

    first = subject("bootstrap", bootstrap.run, "make the first users, projects, flavors and image; again does no harm")
    first.add_argument("--upgrade", action="store_true", help="make or upgrade the tables before, as db upgrade does")
    for name, more in (("admin", ""), ("demo", ""), ("nova", ", as whom services ask others, if they do")):
        variable = f"MININOVA_{name.upper()}_PASSWORD"
        first.add_argument(
            f"--{name}-password",
            default=os.environ.get(variable),
            metavar="PASSWORD",
            help=f"the password of the user {name}{more}; better given as {variable} in the environment",
        )
    first.add_argument(
        "--compute",
        action="append",
        default=[],
        metavar="NAME[=HOSTS]",
        help="record a compute whose broker user is there already; may be repeated (host add makes both)",
    )
    return parser


def _add_identities(host: arguments.AddCommand) -> None:
    """Add what can be done with the broker users of computes."""
    add, remove = _told_to_conductors(identities.add), _told_to_conductors(identities.remove)
    new = host("add", add, "let a compute in: its broker user, its hosts and its configuration file")
    new.add_argument(
        "--hosts",
        default="",
        metavar="A,B",
        help="the hosts it stands for, names and ranges such as node-[0001-1000]; without it the one of its name",
    )
    again = host("rotate", identities.rotate, "give a compute a new password, and cut off the old one")
    gone = host("remove", remove, "cut a compute off: remove its broker user and the record of its hosts")
    for each in (new, again, gone):
        each.add_argument("name", metavar="NAME", help="what the compute is called; its broker user is compute.NAME")
    for each in (new, again):
        each.add_argument(
            "--config",
            dest="file",
            metavar="FILE",
            help="the compute's configuration file: made, or changed in its transport_url only "
            "(mininova-compute-NAME.conf in this folder)",
        )


def _add_parked(command: arguments.AddCommand) -> None:
    """Add what can be done with parked casts, by whom and where they were parked; to settle one, or ``--all``."""
    named = "its id, or as much of it as tells it from others"
    listing = command("list", _over_the_broker(parked.overview), "list the casts that services gave up, and why")
    show = command("show", _over_the_broker(parked.show), "show all that is known of one")
    arguments.add_format(listing, show)
    show.add_argument("message", metavar="MESSAGE", help=named)
    requeue = command("requeue", _over_the_broker(parked.requeue), "send them to where they were sent first, once more")
    drop = command("drop", _over_the_broker(parked.drop), "forget them, for good")
    for settling in (requeue, drop):
        chosen = settling.add_mutually_exclusive_group(required=True)
        chosen.add_argument("message", nargs="?", metavar="MESSAGE", help=named)
        chosen.add_argument("--all", action="store_true", help="all that are parked")
    for each in (listing, show, requeue, drop):
        each.add_argument("--topic", help=f"only of this topic: {', '.join(parked.TOPICS)}")
        each.add_argument("--by", metavar="USER", help="only what this user of the broker has put there")


def _over_the_broker(work: Callable[[rpc.Peer, Sequence[str], argparse.Namespace], None]) -> arguments.Command:
    """Make a command on parked messages, which is connected to the broker while it runs."""

    def command(conf: ConfigOpts, parsed: argparse.Namespace) -> None:
        with _connected(conf) as process:
            work(process.peer, parked.places(conf, parsed.topic), parsed)

    return command


def _status(conf: ConfigOpts, parsed: argparse.Namespace) -> None:
    def connect() -> None:
        with _connected(conf):
            pass

    status.show(conf, parsed, connect)


def _told_to_conductors(work: arguments.Command) -> arguments.Command:
    """Make a command after which each running conductor reads the list of computes again."""

    def command(conf: ConfigOpts, parsed: argparse.Namespace) -> None:
        work(conf, parsed)
        if conf.identities.enforce:
            try:
                with _connected(conf) as process:
                    # In our own version: an older conductor reads no lanes, and drops a message that it does not know.
                    ConductorAPI(process.peer, pin=ConductorAPI.version).identities_changed(service_context())
            except rpc.RPCError as error:
                say(f"the conductors do not know of this yet: restart those that run ({error})")

    return command


def _audit(conf: ConfigOpts, parsed: argparse.Namespace) -> int:
    """Audit the cloud; computes answer by their lanes, which the directory knows."""
    with database.opened(conf) as db, _connected(conf, Directory(recorded.reader(db))) as process:
        # In our own version: each host answers for itself, and one that is too old is named.
        compute = ComputeAPI(process.peer, pin=ComputeAPI.version)
        return audit.run(conf, db, compute, process.threads, parsed)


@contextmanager
def _connected(conf: ConfigOpts, directory: Directory | None = None) -> Iterator[Process]:
    process = Process(conf, "manage", directory=directory)
    process.connect(patiently=False)
    try:
        yield process
    finally:
        process.stop()


if __name__ == "__main__":
    sys.exit(main())
