"""What a query of usage may say: the period, and since 2.40 the page."""

from mininova.api.schemas.types import PAGE, Field, parameter, query

_PERIOD = [Field("start", parameter()), Field("end", parameter())]
_PAGE = [Field(name, schema, since="2.40") for name, schema in PAGE.items()]

SHOW = query(*_PERIOD, *_PAGE)
INDEX = query(*_PERIOD, Field("detailed", parameter()), *_PAGE)
