"""Who may do what in the Block Storage API, by Cinder's defaults: a project's members, and administrators."""

from mininova import errors
from mininova.context import RequestContext


def viewer(ctxt: RequestContext) -> str | None:
    """Name the project whose things a caller sees; None sees all of them."""
    return None if ctxt.is_admin else ctxt.project_id or ""


def require_member(ctxt: RequestContext, action: str) -> None:
    """Refuse callers who may only read.

    :param action: Cinder's name for it, ``volume:create``
    :raises errors.NotAllowed: when they may
    """
    if not ctxt.is_admin and ("member" not in ctxt.roles or ctxt.project_id is None):
        raise errors.NotAllowed(action=action)


def require_admin(ctxt: RequestContext, action: str) -> None:
    """Refuse callers who are no administrators.

    :raises errors.NotAllowed: when they are none
    """
    if not ctxt.is_admin:
        raise errors.NotAllowed(action=action)
