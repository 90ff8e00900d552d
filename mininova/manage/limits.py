"""mininova-manage host limit: the most that a host may offer, also if it reports more.

A limit that is not set here is recorded from the host's first report.
"""

import argparse
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from oslo_config.cfg import ConfigOpts

from mininova.db import limits
from mininova.flow import output
from mininova.flow.output import Column
from mininova.manage.database import opened
from mininova.objects.base import Count
from mininova.objects.service import Ratio

Zone = Annotated[str, Meta(min_length=1, max_length=255)]

# What can be set: the option, its type, what stands for it in the help, and the words of the help.
OPTIONS: Mapping[str, tuple[Any, str, str]] = {
    "vcpus": (Count, "N", "vCPUs there are"),
    "memory_mb": (Count, "MIB", "MiB of memory there are"),
    "local_gb": (Count, "GIB", "GiB of disk there are"),
    "cpu_allocation_ratio": (Ratio, "X", "vCPUs promised for each one there is"),
    "ram_allocation_ratio": (Ratio, "X", "MiB of memory promised for each one there is"),
    "disk_allocation_ratio": (Ratio, "X", "GiB of disk promised for each one there is"),
    "availability_zone": (Zone, "ZONE", "the zone it is in"),
}


def arguments(command: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    command.add_argument("host", metavar="HOST", help="the host")
    for name, (kind, metavar, words) in OPTIONS.items():
        command.add_argument(f"--{name.replace('_', '-')}", type=partial(_read, kind), metavar=metavar, help=words)
    command.add_argument("--forget", action="store_true", help="set all other limits to what its next report says")


def change(conf: ConfigOpts, parsed: argparse.Namespace) -> None:
    """Set limits of a host, and show them; one without a value will be what the host reports next."""
    said = {name: value for name in OPTIONS if (value := getattr(parsed, name)) is not None}
    with opened(conf) as db, db.write() as tx:
        if parsed.forget:
            limits.forget(tx, parsed.host)
        if said:
            limits.record(tx, parsed.host, said)
        known = limits.get(tx, parsed.host)
    facts = Column("host"), *(Column(name, _limit, name) for name in OPTIONS)
    output.show_one(parsed.format, facts, {"host": parsed.host, **{name: getattr(known, name) for name in OPTIONS}})


def _read(kind: Any, said: str) -> object:
    """Read what was typed as a host would have to report it."""
    try:
        return msgspec.convert(said, kind, strict=False)
    except msgspec.ValidationError as error:
        raise argparse.ArgumentTypeError(f"{error}, not {said:.40}") from None


def _limit(value: object) -> str:
    return "what its next report says" if value is None else str(value)
