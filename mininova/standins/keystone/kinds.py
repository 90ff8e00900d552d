"""What identity keeps, as its API takes it: for each kind the names in URLs and bodies, the fields, the filters.

One row a kind; mininova/standins/keystone/handlers/resources.py serves them all alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic

from jsonschema import Draft202012Validator

from mininova import errors
from mininova.standins.keystone.catalog import INTERFACES
from mininova.standins.keystone.db.identity import (
    CatalogEndpoint,
    CatalogService,
    Domain,
    Group,
    Kept,
    Project,
    Region,
    Role,
    User,
)

_NAME = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"\S"}
_SHORT_NAME = {**_NAME, "maxLength": 64}
_ID = {"type": ["string", "null"], "maxLength": 64}
_TEXT = {"type": ["string", "null"]}
_FLAG = {"type": "boolean"}


@dataclass(frozen=True)
class Kind(Generic[Kept]):
    """One kind of thing.

    :param member: its name in a body, ``project``
    :param fields: what can be said of it: name in a body → JSON schema; each but ``password`` is a column
    :param required: what must be said of a new one
    :param filters: the columns that a list can be filtered by
    :param ignored: what clients also say, and what follows from the rest or means nothing here
    """

    struct: type[Kept]
    member: str
    fields: Mapping[str, Any]
    required: tuple[str, ...] = ("name",)
    filters: tuple[str, ...] = ("name",)
    ignored: frozenset[str] = field(default=frozenset({"id", "links"}))

    @property
    def collection(self) -> str:
        """Its name in a URL."""
        return f"{self.member}s"

    @property
    def has_extra(self) -> bool:
        """Whether it keeps fields that the API does not define."""
        return "extra" in self.struct.__struct_fields__

    def check(self, body: Mapping[str, Any], *, new: bool) -> None:
        """Refuse a body that does not have the form of this kind.

        :raises errors.InvalidInput: naming the field that is wrong
        """
        require_form(body, self._new if new else self._changed)

    @cached_property
    def _new(self) -> Draft202012Validator:
        return Draft202012Validator({"properties": self.fields, "required": list(self.required)})

    @cached_property
    def _changed(self) -> Draft202012Validator:
        return Draft202012Validator({"properties": self.fields})


def require_form(body: Mapping[str, Any], form: Draft202012Validator) -> None:
    """Refuse a body of another form.

    :raises errors.InvalidInput: naming the field that is wrong
    """
    for error in form.iter_errors(body):
        where = f" for field '{error.path[0]}'" if error.path else ""
        raise errors.InvalidInput(f"Invalid input{where}: {error.message}")


DOMAINS = Kind(
    Domain,
    "domain",
    fields={"name": _SHORT_NAME, "description": _TEXT, "enabled": _FLAG},
    filters=("name", "enabled"),
)
PROJECTS = Kind(
    Project,
    "project",
    fields={
        "name": _SHORT_NAME,
        "domain_id": _ID,
        "description": _TEXT,
        "enabled": _FLAG,
        "is_domain": {"const": False},
    },
    filters=("name", "domain_id", "enabled"),
    ignored=frozenset({"id", "links", "is_domain", "parent_id"}),
)
USERS = Kind(
    User,
    "user",
    fields={
        "name": _NAME,
        "domain_id": _ID,
        "description": _TEXT,
        "enabled": _FLAG,
        "default_project_id": _ID,
        "password": {"type": ["string", "null"], "maxLength": 4096},
    },
    filters=("name", "domain_id", "enabled"),
    ignored=frozenset({"id", "links", "password_expires_at", "password_hash", "token_generation", "extra"}),
)
GROUPS = Kind(
    Group,
    "group",
    fields={"name": _SHORT_NAME, "domain_id": _ID, "description": _TEXT},
    filters=("name", "domain_id"),
)
# No comma: the header with a caller's roles separates them by commas.
ROLES = Kind(Role, "role", fields={"name": {**_NAME, "pattern": r"^[^,\s][^,]*$"}, "description": _TEXT})
REGIONS = Kind(
    Region,
    "region",
    fields={"id": {**_NAME, "pattern": r"^[^/\s]+$"}, "description": _TEXT, "parent_region_id": _TEXT},
    required=(),
    filters=("parent_region_id",),
    ignored=frozenset({"links"}),
)
SERVICES = Kind(
    CatalogService,
    "service",
    fields={"type": _NAME, "name": _TEXT, "description": _TEXT, "enabled": _FLAG},
    required=("type",),
    filters=("name", "type"),
)
ENDPOINTS = Kind(
    CatalogEndpoint,
    "endpoint",
    fields={
        "service_id": {"type": "string"},
        "interface": {"enum": list(INTERFACES)},
        "region_id": _TEXT,
        "url": {"type": "string", "pattern": r"^(https?://|\$\(public_endpoint\)s)"},
        "enabled": _FLAG,
    },
    required=("service_id", "interface", "url"),
    filters=("service_id", "interface", "region_id"),
)
