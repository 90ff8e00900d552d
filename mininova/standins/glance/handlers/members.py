"""``/v2/images/{id}/members``: the projects that an image is shared with, and whether each accepts it."""

from typing import Any

from mininova import errors
from mininova.standins.glance import policy
from mininova.standins.glance.db import images
from mininova.standins.glance.db.images import SHARED
from mininova.standins.glance.documents import member_document
from mininova.standins.glance.service import Service
from mininova.wsgi import Request

STATUSES = ("pending", "accepted", "rejected")


class Members:
    """Handlers of members; a project that an image is shared with sees only itself among them."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def index(self, request: Request, image_id: str) -> dict[str, Any]:
        """List them."""
        ctxt = request.context
        with self._service.db.read() as tx:
            image = images.get(tx, image_id, policy.viewer(ctxt))
            whole = ctxt.is_admin or image.owner == ctxt.project_id
            found = images.members(tx, image_id, None if whole else ctxt.project_id or "")
        return {"members": [member_document(member) for member in found], "schema": "/v2/schemas/members"}

    def show(self, request: Request, image_id: str, member_id: str) -> dict[str, Any]:
        """Show one."""
        listed = self.index(request, image_id)["members"]
        for document in listed:
            if document["member_id"] == member_id:
                found: dict[str, Any] = document
                return found
        raise errors.NotFound(f"{member_id} not found in the member list of the image {image_id}.")

    def create(self, request: Request, image_id: str) -> dict[str, Any]:
        """Share the image with a project."""
        member = _text(request, "member")
        with self._service.db.write() as tx:
            image = images.get(tx, image_id, policy.viewer(request.context), lock=True)
            policy.require_owner(request.context, image)
            if image.visibility != SHARED:
                raise errors.NotAllowed("Only shared images have members.")
            return member_document(images.add_member(tx, image_id, member))

    def update(self, request: Request, image_id: str, member_id: str) -> dict[str, Any]:
        """Accept or reject an image: only the project that it is shared with may."""
        status = _text(request, "status")
        if status not in STATUSES:
            raise errors.InvalidInput(f"Invalid value '{status}' for 'status': it must be {' or '.join(STATUSES)}.")
        ctxt = request.context
        with self._service.db.write() as tx:
            images.get(tx, image_id, policy.viewer(ctxt))
            if not ctxt.is_admin and ctxt.project_id != member_id:
                raise errors.NotAllowed(f"You are not permitted to modify the status of member {member_id}.")
            return member_document(images.set_member_status(tx, image_id, member_id, status))

    def delete(self, request: Request, image_id: str, member_id: str) -> None:
        """Stop sharing the image with a project."""
        with self._service.db.write() as tx:
            image = images.get(tx, image_id, policy.viewer(request.context), lock=True)
            policy.require_owner(request.context, image)
            images.remove_member(tx, image_id, member_id)


def _text(request: Request, key: str) -> str:
    body = request.document
    value = body.get(key) if isinstance(body, dict) else None
    if not isinstance(value, str) or not value or len(value) > 64:
        raise errors.InvalidInput(f"The request body must be a JSON object with 1 to 64 characters under '{key}'.")
    return value
