"""Who may do what in the Networking API, by Neutron's defaults; a caller sees what is shared, and the project's own."""

from collections.abc import Mapping
from typing import Any

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


def require_owner(ctxt: RequestContext, project_id: str, action: str) -> None:
    """Refuse callers of other projects, who see a thing that is shared.

    :raises errors.NotAllowed: when they may not change it
    """
    if viewer(ctxt) not in (None, project_id):
        raise disallowed(action)


def owner(ctxt: RequestContext, said: Mapping[str, Any], action: str) -> str:
    """Name the project that a new thing is for: only an administrator makes one for another."""
    owner = said.get("project_id") or said.get("tenant_id") or ctxt.project_id
    if not owner or (owner != ctxt.project_id and not ctxt.is_admin):
        raise disallowed(action)
    return str(owner)


def disallowed(action: str, why: str = "") -> errors.NotAllowed:
    """Make the error of what a caller may not do."""
    return errors.NotAllowed(f"(rule:{action}) is disallowed by policy{why}")
