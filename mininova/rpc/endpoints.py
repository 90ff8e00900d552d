"""What a server serves: each interface with the manager that implements it, and which of them a request means."""

import inspect
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from mininova.rpc.envelope import Request
from mininova.rpc.errors import UnsupportedVersion
from mininova.rpc.interface import Interface
from mininova.rpc.versions import Version

Endpoint = tuple[type[Interface], object]


def topic_of(endpoints: Sequence[Endpoint]) -> str:
    """Name the one topic of all.

    :raises TypeError: when they have several
    """
    topics = {interface.topic for interface, _ in endpoints}
    if len(topics) != 1:
        raise TypeError(f"a server serves one topic, not {len(topics)}: {', '.join(sorted(topics))}")
    return topics.pop()


def check_manager(interface: type[Interface], manager: object) -> None:
    """Compare a manager with the interface it is to implement.

    :raises TypeError: naming the method that is missing or takes other arguments
    """
    for method in interface.methods.values():
        implemented = getattr(manager, method.name, None)
        if implemented is None:
            raise TypeError(f"{type(manager).__name__} does not implement {interface.__name__}.{method.name}")
        takes = _takes(implemented)
        if takes != [p.name for p in method.parameters]:
            raise TypeError(
                f"{type(manager).__name__}.{method.name} takes {takes}, "
                f"{interface.__name__} declares {[p.name for p in method.parameters]}"
            )


def _takes(method: Callable[..., Any]) -> list[str]:
    """Name what a method takes after the context."""
    function = getattr(method, "__func__", None)
    return _parameters(method)[1:] if function is None else _parameters(function)[2:]


@cache
def _parameters(function: Callable[..., Any]) -> list[str]:
    """Name what a function takes: once, for a process may have managers of one class for a thousand hosts."""
    return list(inspect.signature(function).parameters)


def meant(endpoints: Sequence[Endpoint], request: Request, *, topic: str, host: str) -> Endpoint:
    """Choose among the interfaces of the namespace: there may be several majors, and several of one name.

    :raises UnsupportedVersion: when none speaks the version
    """
    asked = Version.parse(request.version)
    served = [pair for pair in endpoints if pair[0].namespace == request.namespace]
    offered = [pair for pair in served if request.method in pair[0].methods] or served[:1]
    for interface, manager in offered:
        if Version.parse(interface.version).accepts(asked):
            return interface, manager
    spoken = ", ".join(f"{interface.__name__} {interface.version}" for interface, _ in offered) or "nothing"
    raise UnsupportedVersion(
        f"{topic} on {host} cannot run {request.method} {request.version}: it speaks {spoken}",
        service=topic, interface=request.namespace or topic, asked=request.version, offered=spoken,
    )  # fmt: skip
