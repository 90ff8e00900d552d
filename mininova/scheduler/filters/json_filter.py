"""JsonFilter: does it answer a user's own question? (nova: scheduler/filters/json_filter.py)"""

import operator
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from mininova.objects import RequestSpec
from mininova.scheduler.filters.base import BaseHostFilter
from mininova.scheduler.host_state import HostState
from mininova.scheduler.variables import VARIABLES


def _each(compare: Callable[[Any, Any], bool]) -> Callable[[Sequence[Any]], bool]:
    """Compare the first term with each of the others; without others there is nothing that is true."""
    return lambda terms: len(terms) > 1 and all(compare(terms[0], other) for other in terms[1:])


OPERATORS: Mapping[str, Callable[[Sequence[Any]], Any]] = {
    "=": _each(operator.eq),
    "<": _each(operator.lt),
    ">": _each(operator.gt),
    "<=": _each(operator.le),
    ">=": _each(operator.ge),
    "in": lambda terms: len(terms) > 1 and terms[0] in terms[1:],
    "not": lambda terms: [not term for term in terms],
    "or": any,
    "and": all,
}
# The errors of a question that makes no sense: no operator, a name less than a number, lists in lists without end.
SENSELESS = (msgspec.DecodeError, AttributeError, KeyError, IndexError, TypeError, RecursionError)


class JsonFilter(BaseHostFilter):
    """Pass hosts of which the hint ``query`` is true: ``[">=", "$free_ram_mb", 1024]`` as JSON, a list in lists.

    No host passes a query that makes no sense.  A user's query is worked out for each host, so enable this where you
    know the users.
    """

    hint = "query"
    run_filter_once_per_request = False

    def host_passes(self, host_state: HostState, request_spec: RequestSpec) -> bool:
        """Tell whether the query is true of the host."""
        try:
            query = _parsed(request_spec.scheduler_hints.get("query", ""))
            result = _worked_out(query, host_state) if query else True
        except SENSELESS:
            return False
        return any(result) if isinstance(result, list) else bool(result)


@lru_cache(maxsize=16)
def _parsed(query: str) -> Any:
    return msgspec.json.decode(query) if query else None


def _worked_out(query: Any, host_state: HostState) -> Any:
    """Work a list out: its first item is the operator, the others are terms; one that a host lacks is left out."""
    name, *terms = query
    known = (_term(term, host_state) for term in terms)
    return OPERATORS[name]([term for term in known if term is not None])


def _term(term: Any, host_state: HostState) -> Any:
    if isinstance(term, list):
        return _worked_out(term, host_state) if term else True
    if not isinstance(term, str) or not term.startswith("$"):
        return term if term != "" else None
    name, *keys = term[1:].split(".")
    value = VARIABLES[name](host_state) if name in VARIABLES else None
    for key in keys:
        value = value.get(key) if value is not None else None
    return value
