"""A real Glance: how Nova asks for images over HTTP, where the stand-in answers from the same database.

``image_service`` of ``[app:compute_app]`` in api-paste.ini names ``image_service``; what it must do is said in
service/images.py.  We ask as a service, since a conductor uploads when the token of the user may have ended: Glance
tells us of every image, and this module decides who may see and change which, by Glance's rules.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from keystoneauth1 import exceptions
from keystoneauth1.adapter import Adapter

from mininova import errors
from mininova.context import RequestContext
from mininova.objects import ImageMeta, ImageQuery, KnownImage
from mininova.real.keystone import adapter, reachable
from mininova.wsgi import Parts

Json = dict[str, Any]

#: Of what is made of a server: its data is no real disk, and Glance looks into those that say that they are one.
FORMATS = {"container_format": "bare", "disk_format": "raw"}
PAGE = 100  # images of one answer

#: What Glance itself says of an image; every other key is a property, said by its owner.
ITS_OWN = frozenset(
    {"id", "name", "status", "visibility", "owner", "protected", "tags", "size", "virtual_size", "checksum", "file"}
    | {"os_hash_algo", "os_hash_value", "os_hidden", "container_format", "disk_format", "min_ram", "min_disk", "self"}
    | {"created_at", "updated_at", "schema", "locations", "direct_url", "stores"}
)  # source: https://docs.openstack.org/api-ref/image/v2/


class ImageService:
    """Reads images of Glance, and gives it those that Nova makes."""

    def __init__(self, glance: Adapter) -> None:
        self._glance = glance

    def get(self, ctxt: RequestContext, image_id: str) -> ImageMeta:
        """Read one image.

        :raises errors.ImageNotFound: when there is none that the requester may use
        """
        return _meta(self._visible(ctxt, image_id))

    def create(
        self,
        ctxt: RequestContext,
        name: str,
        *,
        min_ram: int = 0,
        min_disk: int = 0,
        properties: Mapping[str, str] = {},
        shared_with: str | None = None,
    ) -> str:
        """Make an image without data; a project that it is shared with has yet to accept it.

        :raises errors.NotAllowed: when the requester may only read
        """
        _require_member(ctxt)
        image = {
            **properties,
            "name": name,
            "owner": ctxt.project_id,
            "min_ram": min_ram,
            "min_disk": min_disk,
            "visibility": "shared" if shared_with else "private",
        }
        with reachable("Glance"):
            made: str = self._glance.post("images", json=image).json()["id"]
            if shared_with:
                self._glance.post(f"images/{made}/members", json={"member": shared_with})
        return made

    def upload(self, ctxt: RequestContext, image_id: str, data: bytes, properties: Mapping[str, str]) -> None:
        """Give an image its data, unless it has it.

        :raises errors.ImageNotFound: when it was deleted
        """
        image = self._own(ctxt, image_id)
        if image["status"] != "queued":
            return
        with _asking(image_id):
            self._patch(image_id, _said({**properties, **FORMATS}))
            self._glance.put(f"images/{image_id}/file", data=data, headers={"Content-Type": "application/octet-stream"})

    def delete(self, ctxt: RequestContext, image_id: str) -> None:
        """Delete an image and its data.

        :raises errors.ImageNotFound: when it is gone
        :raises errors.NotAllowed: when it is protected
        """
        if self._own(ctxt, image_id)["protected"]:
            raise errors.NotAllowed(f"Image {image_id} is protected and cannot be deleted.")
        with _asking(image_id):
            self._glance.delete(f"images/{image_id}")

    def search(self, ctxt: RequestContext, wanted: ImageQuery) -> list[KnownImage]:
        """List the images that the requester may use, the latest first.

        :raises errors.InvalidInput: when there is no such marker
        """
        found: list[KnownImage] = []
        for image in self._pages(wanted):
            if wanted.limit is not None and len(found) >= wanted.limit:
                break
            if self._is_visible(ctxt, image):
                times = (datetime.fromisoformat(image[name]) for name in ("created_at", "updated_at"))
                found.append(KnownImage(_meta(image), *times))
        return found

    def describe(self, ctxt: RequestContext, image_id: str, properties: Mapping[str, str]) -> None:
        """Replace what is said of an image.

        :raises errors.ImageNotFound: when there is none that the requester may use
        :raises errors.NotAllowed: when it is another project's
        """
        gone = _properties(self._own(ctxt, image_id)).keys() - properties.keys()
        with _asking(image_id):
            self._patch(image_id, [*({"op": "remove", "path": _path(name)} for name in gone), *_said(properties)])

    # ---- what may be seen and changed

    def _visible(self, ctxt: RequestContext, image_id: str) -> Json:
        with _asking(image_id):
            image: Json = self._glance.get(f"images/{image_id}").json()
        if not self._is_visible(ctxt, image):
            raise errors.ImageNotFound(image_id=image_id)
        return image

    def _is_visible(self, ctxt: RequestContext, image: Json) -> bool:
        if ctxt.is_admin or image["visibility"] in ("public", "community") or image["owner"] == ctxt.project_id:
            return True
        return image["visibility"] == "shared" and self._is_member(ctxt, image["id"])

    def _is_member(self, ctxt: RequestContext, image_id: str) -> bool:
        """Tell whether an image is shared with the requester's project, which may not have accepted it yet."""
        if ctxt.project_id is None:
            return False
        with reachable("Glance"):
            try:
                self._glance.get(f"images/{image_id}/members/{ctxt.project_id}")
            except exceptions.NotFound:
                return False
        return True

    def _own(self, ctxt: RequestContext, image_id: str) -> Json:
        image = self._visible(ctxt, image_id)
        _require_member(ctxt)
        if not ctxt.is_admin and image["owner"] != ctxt.project_id:
            raise errors.NotAllowed(f"You are not permitted to modify image {image_id}: it is another project's.")
        return image

    # ---- HTTP

    def _pages(self, wanted: ImageQuery) -> Iterator[Json]:
        """Read all images that fit, page by page."""
        query = {**wanted.properties, "visibility": "all", "limit": PAGE, "marker": wanted.marker}
        query |= {name: getattr(wanted, name) for name in ("id", "name", "status", "min_ram", "min_disk")}
        if wanted.changed_since:
            query["updated_at"] = f"gte:{wanted.changed_since.isoformat(timespec='seconds')}"
        where, asked = "images", {name: value for name, value in query.items() if value is not None}
        while where:
            with reachable("Glance"):
                try:
                    page = self._glance.get(where, params=asked).json()
                except (exceptions.NotFound, exceptions.BadRequest) as refusal:
                    raise errors.InvalidInput(f"Glance refuses the list: {refusal}") from refusal
            yield from page["images"]
            where, asked = page.get("next", "").removeprefix("/v2/"), {}

    def _patch(self, image_id: str, changes: Iterable[Json]) -> None:
        kind = "application/openstack-images-v2.1-json-patch"
        self._glance.patch(f"images/{image_id}", json=list(changes), headers={"Content-Type": kind})


@contextmanager
def _asking(image_id: str) -> Iterator[None]:
    """Ask Glance of one image.

    :raises errors.ImageNotFound: when there is none
    :raises errors.RequestTooLarge: when it has more data than Glance or its owner's quota takes
    :raises errors.OtherServiceUnavailable: when Glance cannot be asked
    """
    with reachable("Glance"):
        try:
            yield
        except exceptions.NotFound as absent:
            raise errors.ImageNotFound(image_id=image_id) from absent
        except exceptions.HTTPClientError as refusal:
            if refusal.http_status != 413:
                raise
            raise errors.RequestTooLarge(str(refusal)) from refusal


def _require_member(ctxt: RequestContext) -> None:
    if not ctxt.is_admin and ("member" not in ctxt.roles or ctxt.project_id is None):
        raise errors.NotAllowed("You are not authorized to complete this action.")


def _meta(image: Json) -> ImageMeta:
    numbers = {name: image[name] for name in ("min_ram", "min_disk", "size")}
    named = {"id": image["id"], "name": image["name"] or "", "status": image["status"]}
    return ImageMeta(**named, **numbers, properties=_properties(image))


def _properties(image: Json) -> dict[str, str]:
    return {name: value for name, value in image.items() if name not in ITS_OWN and isinstance(value, str)}


def _said(properties: Mapping[str, str]) -> list[Json]:
    """Write the changes that give an image these properties: to add one that is there replaces it."""
    return [{"op": "add", "path": _path(name), "value": value} for name, value in properties.items()]


def _path(name: str) -> str:
    return "/" + name.replace("~", "~0").replace("/", "~1")


def image_service(parts: Parts) -> ImageService:
    """Make the image service of an api or a conductor."""
    return ImageService(adapter(parts.conf, "image", "2"))
