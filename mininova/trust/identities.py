"""Identities: the broker user that published a message says who it is from, and nothing in the message does.

The broker validates the name.  What it stands for is decided here: the few services of a controller are known by
their names, and a compute process is ``compute.NAME`` with the hosts that were recorded for it when its broker user
was made.  Servers ask before they obey, peers before they believe a reply; broker_rights.py says what the broker lets
each of them do.
"""

import re
from collections.abc import Callable, Sequence

import msgspec

#: The services and tools of a controller, each under the name of its broker user, and what kind it is of.
KINDS = {
    "api": "api",
    "scheduler": "scheduler",
    "conductor": "conductor",
    "flow": "operator",
    "manage": "operator",
}
TRUSTED = frozenset(KINDS)

COMPUTE = "compute"
_PREFIX = f"{COMPUTE}."

#: A name of a compute identity or of a host: it becomes a part of queue names, whose parts have dots between them.
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?")
#: What mininova.rpc adds to the name of a host's queue: a host of such a name would own another's queue.
_TAKEN = re.compile(r"\.(dead|pause(\.[0-9]+){1,2})\Z", re.IGNORECASE)


class Identity(msgspec.Struct, frozen=True):
    """A broker user that we know.

    :param name: of the user, ``api`` or ``compute.host-1``
    :param kind: ``api``, ``scheduler``, ``conductor``, ``compute`` or ``operator``
    :param hosts: what a compute stands for; the others stand for no host
    """

    name: str
    kind: str
    hosts: tuple[str, ...] = ()

    @property
    def process(self) -> str:
        """Give the name of a compute without what all computes have before it."""
        return self.name.removeprefix(_PREFIX)


def trusted(name: str) -> Identity:
    """Give the identity of a service or tool of the controller."""
    return Identity(name, KINDS[name])


def compute(process: str, hosts: Sequence[str] = ()) -> Identity:
    """Give the identity of a compute process, which stands for the host of its name unless others are named.

    :raises ValueError: a name that could be taken for another's, in words that go on after it
    """
    hosts = tuple(dict.fromkeys(hosts)) or (process,)
    for name in (process, *hosts):
        check_name(name)
    return Identity(f"{_PREFIX}{process}", COMPUTE, hosts)


def is_compute(user: str) -> bool:
    """Tell whether a broker user is named as the identity of a compute is, recorded or not."""
    return user.startswith(_PREFIX) and _NAME.fullmatch(user.removeprefix(_PREFIX)) is not None


def check_name(name: str) -> None:
    """Make sure that a compute or a host can be called so.

    :raises ValueError: it cannot
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a host: letters, digits, dots and hyphens make one, 63 at most")
    if _TAKEN.search(name):
        raise ValueError(f"{name!r} ends as the names of queues do that a host keeps beside its own: choose another")


def of(name: str | None, hosts_of: Callable[[str], Sequence[str]]) -> Identity | None:
    """Find the identity of a broker user; None for one that is not known here, or that the broker did not vouch for.

    :param hosts_of: the hosts that were recorded for the identity of a compute; none for one that is unknown
    """
    if name is None:
        return None
    if name in KINDS:
        return trusted(name)
    if name.startswith(_PREFIX) and (hosts := hosts_of(name)):
        return Identity(name, COMPUTE, tuple(hosts))
    return None
