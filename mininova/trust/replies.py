"""Which senders' replies we trust, which reply queues we may write to, and whose relayed messages we accept.

The parts of an rpc.Trust (processes.py): all decide by the identities that the broker vouches for.
"""

import re
from collections.abc import Callable, Mapping

from mininova.trust import identities
from mininova.trust.identities import COMPUTE, TRUSTED, Identity

_OWN_QUEUE = re.compile("[0-9a-f]+")  # what comes after the name in a reply queue's

IdentityOf = Callable[[str | None], Identity | None]

#: Service → other users that it believes when they say who sent a message first: the operator's tool sends again what
#: was parked.  A compute believes none: what the tool sends to a compute is done for the operator.
RELAYS: Mapping[str, frozenset[str]] = {
    "conductor": frozenset({"manage"}),
    "scheduler": frozenset({"manage"}),
    "manage": frozenset({"conductor", "scheduler"}),
}


def controller(name: str | None) -> Identity | None:
    """Find an identity where there is no database: the services of the controller are known by their names."""
    return identities.of(name, lambda compute: ())


def believing(identity_of: IdentityOf) -> Callable[[str, str | None], bool]:
    """Make the function that tells whether an identity may answer for the service that was asked.

    :param identity_of: finds an identity, and waits for nothing
    """

    def answers(asked: str, replied: str | None) -> bool:
        identity, (topic, _, host) = identity_of(replied), asked.partition(".")
        if identity is None or identity.kind != topic:
            return False
        return topic != COMPUTE or host in identity.hosts

    return answers


def answerable(caller: str | None, key: str) -> bool:
    """Tell whether a caller may be answered under a key: a compute may have replies sent to itself only."""
    return caller in TRUSTED or (
        caller is not None and _OWN_QUEUE.fullmatch(key.removeprefix(f"reply_{caller}_")) is not None
    )
