"""What tags a server may have."""

from mininova.api.schemas.types import TAG, Json, list_of, object_of
from mininova.api.validation import Schemas

MAX_TAGS = 50  # of one server
TAGS: Json = list_of(TAG, maxItems=MAX_TAGS)
TAGS_BODY = Schemas.always(object_of({"tags": TAGS}, ["tags"]))
NO_BODY = Schemas.always({"type": "null"})
