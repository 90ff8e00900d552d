"""Plug-ins: the classes that a setting names, found as entry points; ours are registered as anyone else's are.

The scheduler finds its filters and weighers here, compute its hypervisor driver, and every service its notification
drivers.  docs/plug-ins.md shows how to write one.

docs/adr/0015 says why importlib.metadata does it, and not stevedore.
"""

import sys
from collections.abc import Iterable
from functools import cache
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from typing import Any, TypeVar

from mininova import errors

T = TypeVar("T")

#: What there is to plug in → the group of entry points that names it.
KINDS = {
    "filter": "mininova.scheduler.filters",
    "weigher": "mininova.scheduler.weighers",
    "hypervisor driver": "mininova.virt.drivers",
    "notification driver": "mininova.notification.drivers",
}


def load(kind: str, names: Iterable[str], contract: type[T], setting: str) -> list[type[T]]:
    """Load the classes that a setting names, in its order.

    :param kind: one of KINDS
    :param contract: what each must be a subclass of
    :param setting: where the names are from, as ``[section] option``
    :raises errors.ConfigError: naming the setting, what is wrong with which name, and the names that there are
    """
    found = _installed(KINDS[kind], tuple(sys.path))
    try:
        return [_load(kind, _the_one(kind, name, found), contract) for name in names]
    except ValueError as error:
        raise errors.ConfigError(problem=f"{setting}: {error}") from None


@cache
def _installed(group: str, path: tuple[str, ...]) -> EntryPoints:
    found: EntryPoints = _everything(path).select(group=group)
    return found


@cache
def _everything(path: tuple[str, ...]) -> Any:
    """Read what all distributions on a path have to plug in, once: that takes a twentieth of a second."""
    return entry_points()


def _the_one(kind: str, name: str, found: Iterable[EntryPoint]) -> EntryPoint:
    there = [point for point in found if point.name == name]
    if len(there) == 1:
        return there[0]
    if there:
        raise ValueError(f"{name} is the name of {len(there)} plug-ins: {', '.join(map(_source, there))}")
    if known := ", ".join(sorted({point.name for point in found})):
        raise ValueError(f"{name} is no {kind}; there are {known}")
    raise ValueError(f"{name} is no {kind}, and there is none at all: install mininova again (pip install -e .)")


def _load(kind: str, point: EntryPoint, contract: type[T]) -> type[T]:
    try:
        loaded = point.load()
    except Exception as error:  # it runs the plug-in's module, which may raise anything
        raise ValueError(f"{point.name} cannot be loaded from {_source(point)}: {error}") from error
    if not (isinstance(loaded, type) and issubclass(loaded, contract)):
        raise ValueError(f"{point.name} of {_source(point)} is no {kind}: it is no {contract.__name__}")
    return loaded


def _source(point: EntryPoint) -> str:
    return f"{point.value} ({point.dist.name if point.dist else 'unknown distribution'})"
