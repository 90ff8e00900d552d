"""Refuse what a caller may not do, and let that be known.

A server has a gate, which decides before each handler; a handler may find out more, and raises the same ``Forbidden``.
Either way the caller gets the error, the log has a line, and the application's ``on_denied`` is called.
"""

import logging
import time
from collections.abc import Callable

import msgspec

from mininova.rpc.envelope import Request
from mininova.rpc.errors import Forbidden
from mininova.rpc.trust.callers import caller
from mininova.rpc.watch import sparing

LOG = logging.getLogger(__name__)


class Denial(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a sender asked for and may not have.

    :param caller: an identity, or None for a sender that the broker does not vouch for
    :param object: what it was about, an instance's uuid or a host; "" when that is not known
    :param at: seconds since the epoch
    """

    caller: str | None
    method: str
    object: str
    reason: str
    at: float


OnDenied = Callable[[Denial], None]


def forbidden(caller: str | None, method: str, about: str, reason: str) -> Forbidden:
    """Make the error that says to a caller, and to the list of denials, what the caller may not do and why."""
    return Forbidden(
        f"{caller or 'a sender without a name'} may not {method}{f' {about}' if about else ''}: {reason}",
        caller=caller, method=method, object=about,
    )  # fmt: skip


def denied(request: Request, error: Forbidden, told: OnDenied | None) -> None:
    """Log a denial and report it to ``told``; both get the notes of the error, which the caller does not."""
    about = error.details.get("object")
    reason = "; ".join([str(error), *getattr(error, "__notes__", ())])
    denial = Denial(
        caller=caller(), method=request.method, object="" if about is None else str(about), reason=reason,
        at=time.time(),
    )  # fmt: skip
    tell(denial, told)


def tell(denial: Denial, told: OnDenied | None) -> None:
    """Log a denial and report it to ``told``; also when only a part of a message was denied and the rest was done."""
    LOG.warning(
        "denied %.200r to %.200r on %.200r: %.200r", denial.method, denial.caller, denial.object, denial.reason,
        extra=sparing.about(denial.caller, "denied", denial.method),
    )  # fmt: skip
    if told is not None:
        try:
            told(denial)
        except Exception:  # the message stays refused
            LOG.exception("a denial could not be counted")
