"""The one flat network, which has no row anywhere: what it is follows from the configuration, in each process alike."""

from uuid import NAMESPACE_DNS, uuid5


def network_id(label: str) -> str:
    """Give the id of the network of this name."""
    return str(uuid5(NAMESPACE_DNS, f"{label}.network.mininova"))


def subnet_id(label: str) -> str:
    """Give the id of the one subnet of this network."""
    return network_id(f"subnet.{label}")


def port_id(instance_uuid: str) -> str:
    """Give the id of the port that a boot makes for an instance in the network."""
    return str(uuid5(NAMESPACE_DNS, f"{instance_uuid}.port.mininova"))
