"""What a versioned object is: a frozen value whose fields know the version they came in.

Nothing here does I/O.  An object is never changed: ``instance = conductor.update_instance(...)`` gives the new
one.  On the wire an object has the shape of oslo.versionedobjects: its name, its version, its data.
"""

from datetime import datetime
from functools import cache
from typing import Annotated, Any, ClassVar, Self, get_type_hints

import msgspec

from mininova.errors import MininovaError
from mininova.rpc.versions import Levels, Version, common, since_of

REGISTRY: dict[str, type["Versioned"]] = {}

#: A number that each database can keep; a receiver refuses what is less than nothing, or more.
Count = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]

NAME, NAMESPACE, VERSION, DATA = (f"versioned_object.{key}" for key in ("name", "namespace", "version", "data"))

# What has nothing in it, which is most of what travels: a call for each would be most of what wrapping costs.
_PLAIN = frozenset({str, int, float, bool, type(None), datetime})


class IncompatibleObject(MininovaError):
    """An object came, or was asked for, in a version that cannot be had."""

    template = "Object {name} {asked} cannot be had here: this side knows {name} {known}."


class Versioned(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """Base of every object that travels; a subclass states its ``version``."""

    version: ClassVar[str] = "1.0"

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        REGISTRY[cls.__name__] = cls

    def replace(self, **changes: Any) -> Self:
        """Give a copy with some fields changed."""
        return msgspec.structs.replace(self, **changes)


@cache
def field_versions(cls: type[Versioned]) -> dict[str, Version | None]:
    """Map each field to the version it came in; None means from the start."""
    hints = get_type_hints(cls, include_extras=True)
    marks = {name: since_of(hints[name]) for name in cls.__struct_fields__}
    return {name: None if mark is None else mark.version for name, mark in marks.items()}


def wrap(value: Any, levels: Levels = {}) -> Any:
    """Turn objects, and containers of them, into their wire form.

    :param levels: what the receivers know of each kind of object; what is not named goes as we know it
    :raises IncompatibleObject: when a receiver knows another major only, so that no form of it exists
    """
    if isinstance(value, Versioned):
        return _wrap_object(value, levels)
    if isinstance(value, (list, tuple)):
        return [item if type(item) in _PLAIN else wrap(item, levels) for item in value]
    if isinstance(value, dict):
        return {key: item if type(item) in _PLAIN else wrap(item, levels) for key, item in value.items()}
    return value


def _wrap_object(value: Versioned, levels: Levels) -> dict[str, Any]:
    cls = type(value)
    known = levels.get(cls.__name__, ())
    target = common(cls.version, known)
    if target is None:
        raise IncompatibleObject(name=cls.__name__, asked=" and ".join(sorted(known)), known=cls.version)
    data = {
        name: item if type(item) in _PLAIN else wrap(item, levels)
        for name in _fields_at(cls, target)
        if (item := getattr(value, name)) is not msgspec.UNSET
    }
    return {NAME: cls.__name__, NAMESPACE: "mininova", VERSION: str(target), DATA: data}


@cache
def _fields_at(cls: type[Versioned], target: Version) -> tuple[str, ...]:
    """Name the fields that an object has in a version."""
    return tuple(name for name, came in field_versions(cls).items() if came is None or came <= target)


def unwrap(value: Any) -> Any:
    """Turn wire forms back into plain data that msgspec can convert to the declared type.

    :raises IncompatibleObject: when an object is of another major, or of a newer minor, than ours
    """
    if isinstance(value, dict):
        if isinstance(value.get(DATA), dict):  # which a user's own keys and values, all of them text, never are
            return _unwrap_object(value)
        return {key: item if type(item) in _PLAIN else unwrap(item) for key, item in value.items()}
    if isinstance(value, list):
        return [item if type(item) in _PLAIN else unwrap(item) for item in value]
    return value


def _unwrap_object(value: dict[str, Any]) -> Any:
    name, version = str(value.get(NAME)), str(value.get(VERSION, "1.0"))
    known = REGISTRY.get(name)
    if known is None or not _accepts(known.version, version):
        raise IncompatibleObject(name=name, asked=version, known=known.version if known else "none")
    return unwrap(value[DATA])


def _accepts(known: str, asked: str) -> bool:
    try:
        return Version.parse(known).accepts(Version.parse(asked))
    except ValueError:  # what is no version is none that we know
        return False
