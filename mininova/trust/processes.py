"""Which senders each of our processes trusts, where identities are enforced and where they are not.

A service with a database looks computes up in the directory; the others know the services of the controller by their
names, and no compute.  A compute is itself not trusted: it serves its own hosts only, and sends by its lane.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from mininova import rpc
from mininova.rpc.trust.denials import OnDenied
from mininova.trust import replies
from mininova.trust.directory import Directory
from mininova.trust.gate import NO_CHECKS, Check, gate
from mininova.trust.identities import COMPUTE

#: What holds where all services share one user of the broker; said once at a start, and by ``mininova-manage check``.
UNENFORCED = (
    "[identities] enforce is false: services ignore who sent a message, any broker user may ask anything of every "
    "service, and the flow shows what any of them reports in the name of another"
)


def trust(
    service: str,
    *,
    enforce: bool = True,
    directory: Directory | None = None,
    checks: Mapping[str, Sequence[Check]] = NO_CHECKS,
    on_denied: OnDenied | None = None,
) -> rpc.Trust:
    """Say which senders a process trusts, and how it is confined.

    :param service: api, scheduler, conductor, compute or manage
    :param enforce: whether each process has a broker user of its own; otherwise every sender is trusted
    :param directory: finds computes; without it none is known, and replies of none are heard
    :param checks: what the arguments of a compute must pass, method by method
    :param on_denied: called with each denial
    """
    relays, alone = replies.RELAYS.get(service, frozenset()), service == COMPUTE
    if not enforce:
        return rpc.Trust(relays=relays, alone=alone, on_denied=on_denied)
    known = rpc.Trust(
        gate=gate(replies.controller, checks),
        answers=replies.believing(replies.controller),
        answerable=replies.answerable,
        relays=relays,
        on_denied=on_denied,
        confined=alone,
        alone=alone,
    )
    if directory is None:
        return known
    return replace(
        known,
        gate=gate(directory, checks),
        answers=replies.believing(directory.at_once),
        lane_of=directory.lane_of,
    )
