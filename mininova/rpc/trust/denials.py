"""Refuse what a caller may not do, and let that be known.

A server is given ``admit``, which decides before each handler; a handler may find out more, and raises the same
``Forbidden``.  Either way the caller hears it, the log has a line, and whoever counts is told.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

import msgspec

from mininova.rpc.envelope import Request
from mininova.rpc.errors import Forbidden
from mininova.rpc.interface import Method
from mininova.rpc.trust.callers import caller
from mininova.rpc.watch import sparing

LOG = logging.getLogger(__name__)


#: Raises Forbidden when the caller may not have the method run with these arguments.
Admit = Callable[[str | None, Method, dict[str, Any]], None]


class Denial(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that somebody wanted and may not.

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


def admit_all(name: str | None, method: Method, arguments: dict[str, Any]) -> None:
    """Let everybody do everything: a server without identities."""


def denied(request: Request, error: Forbidden, told: OnDenied | None) -> None:
    """Log a denial, and tell whoever counts them; the notes of the error are for these, and not for the caller."""
    about = error.details.get("object")
    reason = "; ".join([str(error), *getattr(error, "__notes__", ())])
    denial = Denial(
        caller=caller(), method=request.method, object="" if about is None else str(about), reason=reason,
        at=time.time(),
    )  # fmt: skip
    tell(denial, told)


def tell(denial: Denial, told: OnDenied | None) -> None:
    """Log what was denied, and tell whoever counts it; for a part of a message, too, whose rest was done."""
    LOG.warning(
        "denied %.200r to %.200r on %.200r: %.200r", denial.method, denial.caller, denial.object, denial.reason,
        extra=sparing.about(denial.caller, "denied", denial.method),
    )  # fmt: skip
    if told is not None:
        try:
            told(denial)
        except Exception:  # the refusal stands, whatever becomes of the count
            LOG.exception("a denial could not be counted")
