"""Who may do what in the Networking API, by Neutron's defaults; a caller sees what is shared, and the project's own."""

from mininova import errors
from mininova.context import RequestContext


def viewer(ctxt: RequestContext) -> str | None:
    """Name the project whose things a caller sees; None sees all of them."""
    return None if ctxt.is_admin else ctxt.project_id or ""


def require_member(ctxt: RequestContext, action: str) -> None:
    """Refuse callers who may only read.

    :param action: Neutron's name for it, ``create_security_group``
    :raises errors.NotAllowed: when they may
    """
    if not ctxt.is_admin and ("member" not in ctxt.roles or ctxt.project_id is None):
        raise disallowed(action)


def disallowed(action: str, why: str = "") -> errors.NotAllowed:
    """Make the error of what a caller may not do."""
    return errors.NotAllowed(f"(rule:{action}) is disallowed by policy{why}")
