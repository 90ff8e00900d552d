"""What metadata a server may have."""

from mininova.api.schemas.types import METADATA, object_of
from mininova.api.validation import Schemas

METADATA_BODY = Schemas.always(object_of({"metadata": METADATA}, ["metadata"]))
META_BODY = Schemas.always(object_of({"meta": METADATA | {"minProperties": 1, "maxProperties": 1}}, ["meta"]))
