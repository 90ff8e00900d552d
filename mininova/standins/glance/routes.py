"""The URL space of the Image API, below the check of tokens: one table."""

from mininova.standins.glance.handlers.about import About
from mininova.standins.glance.handlers.data import Data
from mininova.standins.glance.handlers.images import Images
from mininova.standins.glance.handlers.members import Members
from mininova.standins.glance.service import Service
from mininova.wsgi import Route


def table(service: Service) -> list[Route]:
    """Give every route of the service."""
    images, data, members, about = Images(service), Data(service), Members(service), About(service)
    return [
        Route("GET", "/v2/images", images.index),
        Route("POST", "/v2/images", images.create),
        Route("GET", "/v2/images/<image_id>", images.show),
        Route("PATCH", "/v2/images/<image_id>", images.update),
        Route("DELETE", "/v2/images/<image_id>", images.delete),
        Route("POST", "/v2/images/<image_id>/actions/deactivate", images.deactivate),
        Route("POST", "/v2/images/<image_id>/actions/reactivate", images.reactivate),
        Route("PUT", "/v2/images/<image_id>/tags/<tag>", images.add_tag),
        Route("DELETE", "/v2/images/<image_id>/tags/<tag>", images.remove_tag),
        Route("PUT", "/v2/images/<image_id>/file", data.upload),
        Route("GET", "/v2/images/<image_id>/file", data.download),
        Route("PUT", "/v2/images/<image_id>/stage", data.stage),
        Route("POST", "/v2/images/<image_id>/import", data.import_),
        Route("GET", "/v2/images/<image_id>/members", members.index),
        Route("POST", "/v2/images/<image_id>/members", members.create),
        Route("GET", "/v2/images/<image_id>/members/<member_id>", members.show),
        Route("PUT", "/v2/images/<image_id>/members/<member_id>", members.update),
        Route("DELETE", "/v2/images/<image_id>/members/<member_id>", members.delete),
        Route("GET", "/v2/images/<image_id>/tasks", about.image_tasks),
        Route("GET", "/v2/tasks", about.tasks),
        Route("GET", "/v2/schemas/<name>", about.schema),
        Route("GET", "/v2/info/import", about.import_info),
    ]
