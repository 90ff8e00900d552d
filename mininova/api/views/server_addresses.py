"""How a server's addresses look: grouped by network."""

from typing import Any

from mininova.objects import Instance

Json = dict[str, Any]


def addresses_of(instance: Instance, *, extended: bool) -> dict[str, list[Json]]:
    """Group the addresses by network.

    :param extended: with the kind of the address and the MAC address of its port
    """
    networks: dict[str, list[Json]] = {}
    for ip in instance.addresses:
        shown: Json = {"version": ip.version_number, "addr": ip.address}
        if extended:
            shown |= {"OS-EXT-IPS:type": ip.kind, "OS-EXT-IPS-MAC:mac_addr": ip.mac_address}
        networks.setdefault(ip.network, []).append(shown)
    return networks
