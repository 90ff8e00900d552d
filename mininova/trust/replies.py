"""Whose replies a service believes, where it may be had to send its own, and who passes on what others sent.

rpc.Peer asks; the identities that the broker vouches for are the answer.
"""

import re
from collections.abc import Callable, Mapping

from mininova.trust import identities
from mininova.trust.identities import COMPUTE, TRUSTED, Identity

_OWN_QUEUE = re.compile("[0-9a-f]+")  # what comes after the name in a reply queue's

IdentityOf = Callable[[str | None], Identity | None]

#: Service → those whose word it takes, beside its own, for who sent a message first: what was parked is sent again by
#: the operator's tool.  A compute takes nobody's: what that tool sends it, it does for the operator.
RELAYS: Mapping[str, frozenset[str]] = {
    "conductor": frozenset({"manage"}),
    "scheduler": frozenset({"manage"}),
    "manage": frozenset({"conductor", "scheduler"}),
}


def controller(name: str | None) -> Identity | None:
    """Find an identity where there is no database: the services of the controller are known by their names."""
    return identities.of(name, lambda compute: ())


def believing(identity_of: IdentityOf) -> Callable[[str, str | None], bool]:
    """Make what tells whether the reply of an identity is that of whom was asked.

    :param identity_of: finds an identity, and waits for nothing
    """

    def answers(asked: str, replied: str | None) -> bool:
        identity, (topic, _, host) = identity_of(replied), asked.partition(".")
        if identity is None or identity.kind != topic:
            return False
        return topic != COMPUTE or host in identity.hosts

    return answers


def answerable(caller: str | None, key: str) -> bool:
    """Tell whether a caller may be answered under a key: a compute has no reply sent to anybody but itself."""
    return caller in TRUSTED or (
        caller is not None and _OWN_QUEUE.fullmatch(key.removeprefix(f"reply_{caller}_")) is not None
    )
