"""The flat network and its subnet, which no table has: they are what the configuration says."""

from datetime import UTC, datetime
from ipaddress import ip_network

from oslo_config.cfg import ConfigOpts

from mininova.db import networks
from mininova.objects.network import network_id, subnet_id
from mininova.standins.neutron.db.things import Network, Subnet

#: When they were made, which no table knows: the beginning of all.
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def network(conf: ConfigOpts) -> Network:
    """Give the network, which all share and which is no project's."""
    label = conf.network.label
    return Network(
        id=network_id(label), project_id="", name=label, shared=True, mtu=1500, created_at=EPOCH, updated_at=EPOCH
    )


def subnet(conf: ConfigOpts) -> Subnet:
    """Give its subnet: the first address is the gateway's, and ports get the others."""
    label, range_ = conf.network.label, ip_network(str(conf.network.cidr))
    ((first, last),) = networks.flat(label, str(range_)).pools
    return Subnet(
        id=subnet_id(label),
        project_id="",
        name=f"{label}-subnet",
        network_id=network_id(label),
        ip_version=range_.version,
        cidr=str(range_),
        gateway_ip=str(range_[1]),
        allocation_pools=((str(range_[first]), str(range_[last])),),
        created_at=EPOCH,
        updated_at=EPOCH,
    )
