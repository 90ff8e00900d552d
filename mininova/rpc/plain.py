"""What JSON can carry, so that it arrives as it was sent.

JSON has no word for some things that Python can say.  The encoder refuses some of them, and writes others as something
else: ``nan`` as null, and in a place without a declared type bytes, dates and a number that is a key as text.  The
receiver would refuse that, or work with what was never sent.  So envelope.py asks here for what cannot be written, and
interface.py looks at what would be read as something else, before a message leaves, where there is a stack to find the
mistake by.  What of its type always arrives as it is, such as a text, is not looked at.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from msgspec import inspect

#: How deep lists and mappings may be nested.  A reader has a stack, and nothing tells how much of it is left there.
DEEPEST = 100

_encode = msgspec.json.encode
_decode = msgspec.json.decode


class Unsendable(ValueError):
    """A value that no message can carry as it is: where it is (``sample.amount``), and what is wrong with it."""

    def __init__(self, place: str, why: str) -> None:
        super().__init__(f"{place} {why}")
        self.place, self.why = place, why


def encoded(value: Any, place: str = "") -> bytes:
    """Write a value as JSON that can be read.

    :param place: what the value is called in an error
    :raises Unsendable: naming the place that cannot be written
    """
    try:
        body = _encode(value)
        deep = _is_deep(body)
    except Exception:  # a type without a form in JSON, half a character, a list in itself: the search says which
        _refuse(value, place)
        raise
    if deep:
        _refuse(value, place)
    return body


def builtins(value: Any, place: str = "") -> Any:
    """Make of a value what JSON has: texts of dates and bytes, mappings of structs.

    :param place: what the value is called in an error
    :raises Unsendable: naming the place that has no form in JSON
    """
    try:
        return msgspec.to_builtins(value)
    except Exception:
        _refuse(value, place)
        raise


def _refuse(value: Any, place: str) -> None:
    for where, why in _faults(value, place, 0):
        raise Unsendable(where, why)


def is_doubtful(declared: Any, seen: frozenset[type] = frozenset()) -> bool:
    """Tell whether a value of a type, as msgspec.inspect describes it, may arrive as something else.

    So it is where the type leaves it open what is in some place of it, and where a number may be none: a float with a
    bound is one.
    """
    if isinstance(declared, inspect.FloatType):
        return declared.ge is declared.gt is declared.le is declared.lt is None
    if isinstance(declared, inspect.AnyType):
        return True
    if not isinstance(declared, (inspect.Type, inspect.Field)) or getattr(declared, "cls", None) in seen:
        return False
    inside = seen | {declared.cls} if hasattr(declared, "cls") else seen
    parts = [getattr(declared, name) for name in declared.__struct_fields__ if name != "cls"]
    return any(is_doubtful(part, inside) for each in parts for part in (each if isinstance(each, tuple) else (each,)))


def _as_it_is(value: Any) -> Any:
    return value


def check(value: Any, place: str = "", read: Callable[[Any], Any] = _as_it_is) -> None:
    """See that a value is read as it was sent.

    :param place: what the value is called in an error
    :param read: makes of plain data what its receiver does
    :raises Unsendable: naming the place that cannot be written, or would be read as something else
    """
    arrives = _decode(encoded(value, place))
    if arrives == value:
        return  # as the most are
    try:
        made, makes = read(value), read(arrives)
    except msgspec.ValidationError:  # as with a number that is none
        _refuse(value, place)
        raise
    for where, why in _differences(made, makes, place):
        raise Unsendable(where, why)


def _is_deep(body: bytes) -> bool:
    if body.count(b"[") + body.count(b"{") <= DEEPEST:
        return False
    level, depth = [_decode(body)], 0
    while level:
        level = [item for held in level for item in _items(held) if isinstance(item, (list, dict))]
        depth += 1
    return depth > DEEPEST


def _items(held: Any) -> Any:
    return held.values() if isinstance(held, dict) else held


def _faults(value: Any, place: str, depth: int) -> Iterator[tuple[str, str]]:
    """Search for what cannot be written: each place, and what is wrong with it."""
    if isinstance(value, (list, tuple, dict)) and depth >= DEEPEST:
        yield place, f"is nested more than {DEEPEST} deep"
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                yield place, f"has the key {key!r:.50}, which is no text"
            else:
                yield from _faults(key, f"{place} (a key)", depth)
                yield from _faults(item, _in(place, key), depth + 1)
    elif isinstance(value, (list, tuple)):
        for number, item in enumerate(value):
            yield from _faults(item, f"{place}[{number}]", depth + 1)
    elif isinstance(value, msgspec.Struct):
        yield from _faults(_fields(value), place, depth)
    elif isinstance(value, float) and not math.isfinite(value):
        yield place, f"is {value}, and JSON has no such number"
    elif (why := _why_not(value)) is not None:
        yield place, why


def _in(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key


def _fields(value: msgspec.Struct) -> dict[str, Any]:
    return {name: item for name, item in msgspec.structs.asdict(value).items() if item is not msgspec.UNSET}


def _why_not(value: Any) -> str | None:
    try:
        _decode(_encode(value))
    except UnicodeEncodeError:
        return "has half a character (a surrogate) in its text"
    except (ValueError, OverflowError):
        return "is too large a number"
    except Exception:
        return f"is of the type {type(value).__name__}, and has no form in JSON"
    return None


def _differences(sent: Any, read: Any, place: str) -> Iterator[tuple[str, str]]:
    """Compare what was sent with what is read of it."""
    if isinstance(sent, (list, tuple)) and isinstance(read, (list, tuple)) and len(sent) == len(read):
        for number, (left, right) in enumerate(zip(sent, read, strict=True)):
            yield from _differences(left, right, f"{place}[{number}]")
    elif isinstance(sent, dict) and isinstance(read, dict):
        for key in sent.keys() - read.keys():
            yield place, f"has the key {key!r:.50}, which is no text"
        for key in sent:
            yield from _differences(sent[key], read[key], _in(place, key))
    elif isinstance(sent, msgspec.Struct) and type(sent) is type(read):
        yield from _differences(_fields(sent), _fields(read), place)
    elif isinstance(sent, float) and not math.isfinite(sent):
        yield place, f"is {sent}, and JSON has no such number"
    elif type(sent) is not type(read) and sent != read:
        yield place, f"is of the type {type(sent).__name__}, and would be read as {type(read).__name__}"


# ---- what is told of an error, as far as it can be

_MOST_CHARACTERS = 8_192  # of an error's text, or of one of its details
_MOST_BYTES = 65_536  # of all of its details


def text(value: Any) -> str:
    """Give a text for a value that any message can carry: cut where it is too long, without half characters."""
    try:
        said = str(value)
    except Exception as error:  # of its author
        said = f"{type(value).__name__}, whose text cannot be had: {type(error).__name__}"
    cut = said if len(said) <= _MOST_CHARACTERS else f"{said[:_MOST_CHARACTERS]}…"
    return cut.encode(errors="replace").decode()


def outside(error: Exception) -> str:
    """Give what other processes are told of an error: its class may have a sentence for them, in ``outside``."""
    return text(getattr(error, "outside", "") or error)


def details(error: Exception) -> dict[str, Any]:
    """Give what can be carried of an error's details: the text of what cannot, and nothing of what is too long.

    Nothing of them is for other processes if the error's own sentence is not.
    """
    value = None if getattr(error, "outside", "") else getattr(error, "details", None)
    told = {text(name): _told(item) for name, item in value.items()} if isinstance(value, dict) else {}
    return told if len(_encode(told)) <= _MOST_BYTES else {}


def _told(value: Any) -> Any:
    try:
        check(value)
    except Exception:
        return text(value)
    return value
