"""Trust: which senders a process believes and obeys, and how it is confined itself.  A Peer is given one value.

All of it rests on the broker, which lets no user publish in another's name.  ``Trust()`` is for projects whose
processes share one broker user: there senders cannot be told apart, so every sender may call everything, every reply
is believed, and there are no lanes.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from mininova.rpc.trust.denials import OnDenied
from mininova.rpc.trust.gate import OPEN, Gate
from mininova.rpc.trust.lanes import LaneOf

#: Tells whether a broker user, which may be None, may answer for what was asked: ``conductor``, ``compute.host-1``.
Answers = Callable[[str, str | None], bool]

#: Tells whether a caller, which may be None, may have its answers sent under a key of the reply exchange.
Answerable = Callable[[str | None, str], bool]


def _any_user(asked: str, user: str | None) -> bool:
    return True


def _no_lane(key: str) -> str | None:
    return None


@dataclass(frozen=True, kw_only=True)
class Trust:
    """Which senders a process believes and obeys.

    :param gate: who may call what this process serves (trust/gate.py)
    :param on_denied: called with each Denial, whether the gate or a handler raised it
    :param answers: which replies, and which refused casts that come back, are believed; it must not wait
    :param answerable: to which reply queues a server writes for a caller, so that no caller can have it write where the
        caller itself may not; None lets it write to all, and to those of oslo.messaging on the default exchange
    :param relays: other users that are believed when they say who sent a message first
    :param lane_of: whose replies come by a lane (trust/lanes.py); it must wait for nothing but a database
    :param confined: this process sends everything by its own lane
    :param alone: its servers serve nothing but ``<topic>.<host>``, and park in ``<topic>.<host>.dead``, since this
        process may not read what is for others
    """

    gate: Gate = OPEN
    on_denied: OnDenied | None = None
    answers: Answers = _any_user
    answerable: Answerable | None = None
    relays: Collection[str] = frozenset()
    lane_of: LaneOf = _no_lane
    confined: bool = False
    alone: bool = False
