"""Checks bodies and queries against JSON schemas; an answer names the field.

A handler says what it takes with ``@takes(body=…, query=…)``.  Schemas are built once, when their module is
loaded; which of them applies follows from the microversion.  The texts are Nova's (nova: api/validation).
"""

import base64
import binascii
import ipaddress
from bisect import bisect_right
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import wraps
from typing import Any, TypeVar
from unicodedata import category as _category
from uuid import UUID

import jsonschema
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from mininova import errors
from mininova.api.microversions import LEGACY
from mininova.api.request import ComputeRequest
from mininova.db import expressions
from mininova.wsgi import Microversion
from mininova.wsgi.values import moment

Json = dict[str, Any]
Handler = TypeVar("Handler", bound=Callable[..., Any])

NAME_RULE = "printable characters. Can not start or end with whitespace."
SPACED_NAME_RULE = "printable characters with at least one non space character"


class InvalidName(Exception):
    """The name breaks a rule; jsonschema passes this on as the error's cause."""

    def __init__(self, rule: str) -> None:
        super().__init__(f"An invalid 'name' value was provided. The name must be: {rule}")


# ---- formats of strings

formats = FormatChecker(formats=())

_BLANKS = {ord(blank): None for blank in "\n\t\r"}
_BREAKS = ("Zl", "Zp")  # Unicode's separators of lines and of paragraphs


def _format(name: str, *raises: type[Exception]) -> Callable[[Callable[[str], bool]], None]:
    """Register a check of strings under a name that schemas use; raising is failing."""

    def register(check: Callable[[str], bool]) -> None:
        formats.checks(name, raises or ())(lambda value: not isinstance(value, str) or check(value))

    return register


_format("uuid", ValueError)(lambda value: bool(UUID(value)))
_format("ipv4", ValueError)(lambda value: bool(ipaddress.IPv4Address(value)))
_format("ipv6", ValueError)(lambda value: bool(ipaddress.IPv6Address(value)))
_format("regex", ValueError)(lambda value: bool(value) and bool(expressions.compiled(value)))
_format("date-time", ValueError)(lambda value: bool(moment(value)))
_format("base64", binascii.Error, ValueError)(lambda value: base64.b64decode("".join(value.split())) is not None)
_format("printable")(lambda value: _is_printable(value.translate(_BLANKS)))


@_format("name", InvalidName)
def _name(value: str) -> bool:
    if value and (value != value.strip() or not _is_printable(value)):
        raise InvalidName(NAME_RULE)
    return True


@_format("spaced-name", InvalidName)
def _spaced_name(value: str) -> bool:
    if not (value.strip() and _is_printable(value.strip())):
        raise InvalidName(SPACED_NAME_RULE)
    return True


def _is_printable(text: str) -> bool:
    """Tell whether Nova would print a text: letters, signs and spaces of the basic multilingual plane."""
    if text.isascii():
        return text.isprintable()
    return all(
        letter <= "\uffff" and _category(letter)[0] != "C" and _category(letter) not in _BREAKS for letter in text
    )


# ---- numbers that come as strings


def _bound(keyword: str) -> Callable[..., Iterable[ValidationError]]:
    """Make ``minimum`` and the like work on ``"10"``, too: queries and old clients send numbers so."""
    check: Callable[..., Iterable[ValidationError]] = Draft202012Validator.VALIDATORS[keyword]

    def checked(validator: Any, bound: float, value: Any, schema: Json) -> Iterable[ValidationError]:
        number = _number(value) if isinstance(value, str) else value
        return () if number is None else check(validator, bound, number, schema) or ()

    return checked


def _number(text: str) -> float | None:
    """Read a number; None when it is none.  One of so many digits that Python reads no int is infinite."""
    for read in (int, float):
        with suppress(ValueError):
            return read(text)
    return None


# ---- checks that would take too long


def _unless_too_long(keyword: str, longest: str) -> Callable[..., Iterable[ValidationError]]:
    """Skip a check of a value that is too long anyway: its time may grow with the square of the length, or worse.

    :param longest: the keyword that bounds the length
    """
    check: Callable[..., Iterable[ValidationError]] = Draft202012Validator.VALIDATORS[keyword]

    def checked(validator: Any, wanted: Any, value: Any, schema: Json) -> Iterable[ValidationError]:
        if isinstance(value, (str, list)) and len(value) > schema.get(longest, len(value)):
            return ()
        return check(validator, wanted, value, schema) or ()

    return checked


def _one_of(validator: Any, wanted: list[Json], value: Any, schema: Json) -> Iterable[ValidationError]:
    """Look no further in a form than its first error: jsonschema lists all, of thousands of items, for no reader."""
    fitting = [form for form in wanted if validator.evolve(schema=form).is_valid(value)]
    if not fitting:
        yield ValidationError(f"{value!r} is not valid under any of the given schemas")
    elif len(fitting) > 1:
        yield ValidationError(f"{value!r} is valid under each of {', '.join(map(repr, fitting))}")


_Validator = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {
        **{keyword: _bound(keyword) for keyword in ("minimum", "maximum", "exclusiveMinimum")},
        "pattern": _unless_too_long("pattern", "maxLength"),
        "uniqueItems": _unless_too_long("uniqueItems", "maxItems"),
        "items": _unless_too_long("items", "maxItems"),
        "oneOf": _one_of,
    },
)


# ---- schemas by microversion


class Schemas:
    """A schema for each range of microversions.

    :param build: makes the schema for a microversion
    :param changes_at: the microversions at which it changes, in order
    """

    def __init__(self, build: Callable[[Microversion], Json], changes_at: Iterable[str] = ()) -> None:
        self._starts = [Microversion.parse(text) for text in ("2.0", "2.1", *changes_at)]
        self._validators = [_Validator(build(start), format_checker=formats) for start in self._starts]

    @classmethod
    def always(cls, schema: Json) -> "Schemas":
        """Make one that is the same in every microversion."""
        return cls(lambda _: schema)

    def schema(self, version: Microversion) -> Json:
        """Give the schema of a microversion."""
        schema: Json = self._at(version).schema
        return schema

    def _at(self, version: Microversion) -> Any:
        return self._validators[bisect_right(self._starts, version) - 1]

    def complaint(self, document: Any, version: Microversion) -> ValidationError | None:
        """Find what is wrong with a document, the first of it, as Nova does; None when nothing is."""
        return next(self._at(version).iter_errors(document), None)


def takes(body: Schemas | None = None, query: Schemas | None = None) -> Callable[[Handler], Handler]:
    """Check requests before the handler gets them.

    :raises errors.InvalidInput: from the handler, naming what is wrong
    """

    def decorate(handler: Handler) -> Handler:
        @wraps(handler)
        def checked(request: ComputeRequest, **variables: str) -> Any:
            if query is not None:
                check_query(request, query)
            if body is not None:
                check_body(request, body)
            return handler(request, **variables)

        checked.body, checked.query = body, query  # type: ignore[attr-defined]  # for tests and documentation
        return checked  # type: ignore[return-value]

    return decorate


def check_body(request: ComputeRequest, schemas: Schemas) -> None:
    """Check the body; below ``/v2``, remove first what the schema does not name.

    :raises errors.InvalidInput: naming the field
    """
    if request.api_version == LEGACY:
        drop_unknown(request.document, schemas.schema(LEGACY))
    complaint = schemas.complaint(request.document, request.api_version)
    if complaint is not None:
        raise errors.InvalidInput(_words(complaint, "field/attribute", last=True))


def drop_unknown(document: Any, schema: Json) -> None:
    """Remove the properties that a schema does not name; where it allows keys by pattern, all stay."""
    if isinstance(document, dict):
        known = schema.get("properties", {})
        if schema.get("additionalProperties") is False and "patternProperties" not in schema:
            for name in document.keys() - known.keys():
                del document[name]
        for name in document.keys() & known.keys():
            drop_unknown(document[name], known[name])
    elif isinstance(document, list) and "items" in schema:
        for item in document:
            drop_unknown(item, schema["items"])


def check_query(request: ComputeRequest, schemas: Schemas) -> None:
    """Check the query, each parameter of which is a list of values.

    :raises errors.InvalidInput: naming the parameter
    """
    complaint = schemas.complaint(request.GET.dict_of_lists(), request.api_version)
    if complaint is not None:
        raise errors.InvalidInput(_words(complaint, "query parameters", last=False))


def _words(complaint: ValidationError, kind: str, last: bool) -> str:
    if isinstance(complaint.cause, InvalidName):
        return str(complaint.cause)
    if not complaint.path:
        return complaint.message
    field = complaint.path[-1 if last else 0]
    return f"Invalid input for {kind} {field}. Value: {complaint.instance}. {complaint.message}"
