"""The one flat network, which has no row anywhere: what it is follows from the configuration, in each process alike."""

from uuid import NAMESPACE_DNS, UUID, uuid5

_PORT = uuid5(NAMESPACE_DNS, "port.mininova").int


def network_id(label: str) -> str:
    """Give the id of the network of this name."""
    return str(uuid5(NAMESPACE_DNS, f"{label}.network.mininova"))


def port_id(instance_uuid: str) -> str:
    """Give the id of the port that an instance has in the network; of a port's id, the instance's uuid.

    :raises ValueError: when it is no uuid
    """
    return str(UUID(int=UUID(instance_uuid).int ^ _PORT))
