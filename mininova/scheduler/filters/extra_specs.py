"""What an extra spec of a flavor asks of a value (nova: scheduler/filters/extra_specs_ops.py).

``>= 4``, ``s== kvm``, ``<in> ssd``, ``<all-in> aes avx`` and ``<or> red <or> blue``; a text without an operator must be
the value itself.
"""

import operator
from collections.abc import Callable, Iterator, Mapping

from mininova.objects import RequestSpec


def _numbers(compare: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    def compared(value: str, asked: str) -> bool:
        try:
            return compare(float(value), float(asked))
        except ValueError:
            return False

    return compared


#: operator → whether a value is what the first word after it asks for
OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "=": _numbers(operator.ge),  # which is Nova's
    "==": _numbers(operator.eq),
    "!=": _numbers(operator.ne),
    ">=": _numbers(operator.ge),
    "<=": _numbers(operator.le),
    "s==": operator.eq,
    "s!=": operator.ne,
    "s<": operator.lt,
    "s<=": operator.le,
    "s>": operator.gt,
    "s>=": operator.ge,
    "<in>": operator.contains,
}


def match(value: str, asked: str) -> bool:
    """Tell whether a value is what an extra spec asks for."""
    name, *words = asked.split() or [""]
    if name == "<or>":
        return value in words[::2]
    if name == "<all-in>":
        return bool(words) and all(word in value for word in words)
    if name in OPERATORS:
        return bool(words) and OPERATORS[name](value, words[0])
    return value == asked


def scoped(request_spec: RequestSpec, scope: str) -> Iterator[tuple[str, str]]:
    """Give the extra specs of the request's flavor that are in a scope or in none, without it: key and what it asks."""
    for key, asked in request_spec.flavor.extra_specs.items():
        found, colon, rest = key.partition(":")
        if not colon or found == scope:
            yield rest or key, asked
