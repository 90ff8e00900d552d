"""What travels in messages: frozen, versioned values without any I/O."""

from mininova.objects.arguments import NO_ARGUMENTS, Arguments
from mininova.objects.base import REGISTRY, IncompatibleObject, Versioned, unwrap, wrap
from mininova.objects.console import Console
from mininova.objects.flavor import Flavor
from mininova.objects.image_meta import ImageMeta
from mininova.objects.image_query import ImageQuery, KnownImage
from mininova.objects.instance import Fault, FixedIP, Instance, InstanceChanges
from mininova.objects.migration import Migration
from mininova.objects.request_spec import RequestSpec, Retry, Selection
from mininova.objects.service import ComputeNode, Service
from mininova.objects.task_log import TaskLog
from mininova.objects.volume import BlockDevice, BlockDeviceMapping, SnapshotMeta, VolumeMeta

__all__ = [
    "NO_ARGUMENTS", "REGISTRY", "Arguments", "BlockDevice", "BlockDeviceMapping", "ComputeNode", "Console", "Fault",
    "FixedIP", "Flavor", "ImageMeta", "ImageQuery", "IncompatibleObject", "Instance", "InstanceChanges", "KnownImage",
    "Migration", "RequestSpec", "Retry", "Selection", "Service", "SnapshotMeta", "TaskLog", "Versioned", "VolumeMeta",
    "unwrap", "wrap",
]  # fmt: skip
