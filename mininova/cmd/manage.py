"""mininova-manage: what an operator does beside the running services.  The table of its commands."""

import argparse
import os
import sys
from collections.abc import Sequence

from mininova import conf as settings
from mininova.cmd import arguments
from mininova.manage import bootstrap, database, hosts, services

PURPOSE = "Look after a mininova cloud: its database, its services and hosts, its first users."


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


if __name__ == "__main__":
    sys.exit(main())
