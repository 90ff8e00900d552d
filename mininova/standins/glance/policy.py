"""Who may do what with an image, by Glance's defaults; db/images.py decides who may see it.

The handlers ask.  A project's readers change nothing; its members change what is the project's own; an administrator
changes everything.
"""

from mininova import errors
from mininova.context import RequestContext
from mininova.standins.glance.db.images import PUBLIC, Image


def viewer(ctxt: RequestContext) -> str | None:
    """Name the project whose images a caller sees; None sees all of them."""
    # A token that is of no project sees what is public: no image is owned by the empty name.
    return None if ctxt.is_admin else ctxt.project_id or ""


def require_member(ctxt: RequestContext) -> None:
    """Refuse callers who may only read.

    :raises errors.NotAllowed: when they may
    """
    if not ctxt.is_admin and ("member" not in ctxt.roles or ctxt.project_id is None):
        raise errors.NotAllowed("You are not authorized to complete this action.")


def require_owner(ctxt: RequestContext, image: Image) -> None:
    """Refuse callers who may see the image and do not own it.

    :raises errors.NotAllowed: when it is not
    """
    require_member(ctxt)
    if not ctxt.is_admin and image.owner != ctxt.project_id:
        raise errors.NotAllowed(f"You are not permitted to modify image {image.id}: it is another project's.")


def require_may_say(ctxt: RequestContext, before: Image | None, after: Image) -> None:
    """Refuse what only an administrator may set: that an image is public, or belongs to another project.

    :param before: what it was; None for a new one
    :raises errors.NotAllowed: when the caller may not say it
    """
    if ctxt.is_admin:
        return
    if after.visibility == PUBLIC and (before is None or before.visibility != PUBLIC):
        raise errors.NotAllowed("You are not authorized to complete publicize_image action.")
    if after.owner != (ctxt.project_id if before is None else before.owner):
        raise errors.NotAllowed(f"You are not permitted to create images owned by '{after.owner}'.")
