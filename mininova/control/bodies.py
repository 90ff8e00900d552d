"""What a handler of the control API takes: a struct, which the request's JSON must be.

The OpenAPI document is derived from the same structs (openapi.py).
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import msgspec

from mininova import errors
from mininova.wsgi import Request

T = TypeVar("T")


def takes(body: type[T]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Have a handler take the body as a struct, after the request."""

    def decorate(handler: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(handler)
        def checked(self: Any, request: Request, **variables: str) -> Any:
            return handler(self, request, read({} if request.document is None else request.document, body), **variables)

        checked.body = body  # type: ignore[attr-defined]
        return checked

    return decorate


def read(document: Any, into: type[T]) -> T:
    """Make a struct of a JSON document.

    :raises errors.InvalidInput: that names the field
    """
    try:
        return msgspec.convert(document, into)
    except msgspec.ValidationError as error:
        complaint, _, field = str(error).partition(" - at ")
        where = f"Invalid input for field/attribute {field.strip('`$.')}" if field.strip("`$.") else "Invalid body"
        raise errors.InvalidInput(f"{where}: {complaint}") from None
