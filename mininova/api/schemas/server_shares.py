"""What is said of a server's shares."""

from mininova.api.schemas.types import SHORT, UUID, Field, query, under

CREATE = under("share", Field("share_id", UUID, required=True), Field("tag", SHORT | {"pattern": "^[a-zA-Z0-9-]*$"}))
NO_PARAMETERS = query(strict_since="2.97")
