"""How an application's own things become plain data: its objects, its contexts, its errors.

The RPC layer knows none of them.  An application hands it a Codec; without one, arguments are what msgspec
can encode, a context is a dict and every error is a RemoteError.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from mininova.rpc import errors, plain
from mininova.rpc.versions import Levels


def _same(value: Any) -> Any:
    return value


def _mapping(ctxt: Any) -> dict[str, Any]:
    if not isinstance(ctxt, Mapping):
        raise TypeError(f"a context is a mapping of names to plain data, not {ctxt!r:.200}")
    return dict(ctxt)


def _as_it_is(value: Any, levels: Levels) -> Any:
    return value


@dataclass(frozen=True)
class Codec:
    """The application's translations.

    :param wrap: objects, in the versions that the receivers know → plain data, after which msgspec can encode it
    :param unwrap: plain data → what msgspec can convert to the declared types
    :param context_to_wire: a context → the fields that travel
    :param context_from_wire: the fields that came → a context
    :param errors: name → class of the errors that may cross the wire: made of a message, more is in its ``details``
    """

    wrap: Callable[[Any, Levels], Any] = _as_it_is
    unwrap: Callable[[Any], Any] = _same
    context_to_wire: Callable[[Any], dict[str, Any]] = _mapping
    context_from_wire: Callable[[dict[str, Any]], Any] = _same
    errors: Mapping[str, type[Exception]] = field(default_factory=lambda: errors.WIRE)

    def failure_of(self, error: Exception) -> dict[str, Any]:
        """Describe an error for the wire, in oslo.messaging's shape and without a traceback."""
        message = plain.outside(error)
        return {
            "class": type(error).__name__,
            "module": type(error).__module__,
            "message": message,
            "tb": [],
            "args": [message],
            "kwargs": plain.details(error),
            "definite": getattr(error, "definite", False) is True,
        }

    def error_of(self, failure: Mapping[str, Any]) -> Exception:
        """Make the error again: of its registered class, or a RemoteError.  Nothing is imported for it."""
        code, message, details = str(failure.get("class")), str(failure.get("message")), failure.get("kwargs")
        known = self.errors.get(code) or errors.WIRE.get(code)
        if known is None:
            return errors.RemoteError(f"{code}: {message}", code=code, remote_message=message)
        try:
            error: Any = known(message)
            error.details = details if isinstance(details, dict) else {}  # the constructor might not take them
            if isinstance(error, errors.RPCError) and isinstance(failure.get("definite"), bool):
                error.definite = failure["definite"]
        except Exception:  # a class that is not made of a message: its author cannot have tried
            return errors.RemoteError(f"{code}: {message}", code=code, remote_message=message)
        return cast(Exception, error)
