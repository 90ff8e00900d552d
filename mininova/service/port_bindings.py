"""What the services of Nova tell the network service of a server's ports: that they are on its host, or its no more.

The service that ``network_service`` of ``[app:compute_app]`` in api-paste.ini names hears it: the api's own, and in a
conductor another one, which is made where [network] notify_nova_on_port_status_changes or its sister asks for it.
"""

from typing import TYPE_CHECKING, Protocol

from mininova.db.ports import Port
from mininova.service.images import configured, named

if TYPE_CHECKING:
    from mininova.wsgi import Parts

SETTING = "network_service"


class PortBindings(Protocol):
    """Hears of the ports of servers, after it was committed; it neither fails nor waits."""

    def bound(self, instance_uuid: str, port_id: str | None = None) -> None:
        """Hear that the ports of a server, or one of them, are on its host."""

    def left(self, port: Port) -> None:
        """Hear that a server has a port no more.

        :param port: as it was before
        """


class NotToldOf:
    """What hears nothing of ports: nothing is to be told of them."""

    def bound(self, instance_uuid: str, port_id: str | None = None) -> None:
        """Do nothing."""

    def left(self, port: Port) -> None:
        """Do nothing."""


def port_bindings(parts: "Parts") -> PortBindings:
    """Make what hears of ports in a conductor.

    :raises errors.ConfigError: when api-paste.ini names a network service that is not there
    """
    if (name := configured(parts.conf, SETTING)) is None:
        return NotToldOf()
    ports: PortBindings = named(SETTING, name)(parts).ports
    return ports
