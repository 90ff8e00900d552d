"""Whose limits and quotas can be asked for."""

from mininova.api.schemas.types import Field, parameter, query

LIMITS = query(Field("tenant_id", parameter()))
QUOTAS = query(Field("user_id", parameter()))
