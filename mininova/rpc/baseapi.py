"""What every server can be asked: whether it is there, and what it speaks.

``Server`` adds these to its own interfaces.  ``BaseAPI(peer, topic="compute").on("host-1").ping({}, "hello")`` asks one
host; without ``on`` any server of the topic answers.  Name, namespace and answer of ``ping`` are Nova's (nova:
baserpc.py); ``oslo_rpc_server_ping`` is what oslo.messaging's servers answer with ``rpc_ping_enabled``.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from mininova.rpc.interface import ANYBODY, Interface, call


class InterfaceDescription(msgspec.Struct, frozen=True, kw_only=True):
    """One interface that a server speaks.

    :param methods: name → the version that brought it
    """

    name: str
    namespace: str | None
    version: str
    methods: dict[str, str]


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """A server, and all that can be asked of it."""

    topic: str
    host: str
    interfaces: tuple[InterfaceDescription, ...]


class BaseAPI(Interface):
    """Ask a server of any topic whether it is there, and what it speaks."""

    topic, namespace, version = "", "baseapi", "1.0"

    @call(since="1.0", by=ANYBODY, idempotent=True)
    def ping(self, ctxt: Any, arg: Any = None) -> dict[str, Any]:
        """Answer with the name of the service, and with the argument."""

    @call(since="1.0", by=ANYBODY, idempotent=True)
    def describe(self, ctxt: Any) -> Description:
        """List the served interfaces, with their versions and methods."""


class OsloPing(Interface):
    """Answer the tools that look after oslo.messaging's servers."""

    topic, version = "", "1.0"

    @call(since="1.0", by=ANYBODY, idempotent=True)
    def oslo_rpc_server_ping(self, ctxt: Any) -> str:
        """Answer ``pong``."""


class BaseManager:
    """Answer for one server.

    :param interfaces: all that it serves
    """

    def __init__(self, topic: str, host: str, interfaces: Sequence[type[Interface]]) -> None:
        self._topic = topic
        self._description = Description(
            topic=topic, host=host, interfaces=tuple(_describe(interface) for interface in interfaces)
        )

    def ping(self, ctxt: Any, arg: Any = None) -> dict[str, Any]:
        """See BaseAPI."""
        return {"service": self._topic, "arg": arg}

    def describe(self, ctxt: Any) -> Description:
        """See BaseAPI."""
        return self._description

    def oslo_rpc_server_ping(self, ctxt: Any) -> str:
        """See OsloPing."""
        return "pong"


def _describe(interface: type[Interface]) -> InterfaceDescription:
    return InterfaceDescription(
        name=interface.__name__,
        namespace=interface.namespace,
        version=interface.version,
        methods={name: str(method.since) for name, method in interface.methods.items()},
    )
