"""The URL space of the Block Storage API, below the check of tokens and the project's id: one table."""

from mininova.standins.cinder.handlers.about import About
from mininova.standins.cinder.handlers.attachments import AttachmentHandlers
from mininova.standins.cinder.handlers.snapshots import SnapshotHandlers
from mininova.standins.cinder.handlers.types import TypeHandlers
from mininova.standins.cinder.handlers.volumes import VolumeHandlers
from mininova.standins.cinder.service import Service
from mininova.wsgi import Route


def table(service: Service) -> list[Route]:
    """Give every route of the service."""
    return [
        *VolumeHandlers(service).routes(),
        *SnapshotHandlers(service).routes(),
        *TypeHandlers(service).routes(),
        *AttachmentHandlers(service).routes(),
        *About(service).routes(),
    ]
