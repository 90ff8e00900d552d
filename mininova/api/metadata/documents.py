"""What a guest is told about itself, in EC2's form and in OpenStack's, as cloud-init reads them.

Both forms are trees: a dict is a folder, which is listed, and anything else is a file.  ``0=mine`` in a folder is
listed so, and found as ``0``: cloud-init learns the names of keys that way.
"""

import base64
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from mininova.db.keypairs import Keypair
from mininova.db.ports import Port
from mininova.objects import FixedIP, Instance

EC2_VERSIONS = (
    "1.0", "2007-01-19", "2007-03-01", "2007-08-29", "2007-10-10", "2007-12-15", "2008-02-01", "2008-09-01",
    "2009-04-04",
)  # fmt: skip
OPENSTACK_VERSIONS = (
    "2012-08-10", "2013-04-04", "2013-10-17", "2015-10-15", "2016-06-30", "2016-10-06", "2017-02-22", "2018-08-27",
    "2020-10-14",
)  # fmt: skip
LATEST = "latest"
MTU = 1500
SEED_BYTES = 512

Json = dict[str, Any]
File = bytes | Callable[[], bytes]
Tree = Mapping[str, "File | Tree"]


@dataclass(frozen=True)
class Known:
    """All that there is to tell of one instance.

    :param user_data: in base64
    :param password: what its guest told, encrypted for its owner
    :param groups: the names of its security groups
    :param domain: what its host name is completed with; may be ""
    :param vendor_data: what the operator says to every guest, as JSON
    """

    instance: Instance
    keypair: Keypair | None
    ports: Sequence[Port]
    user_data: str | None
    password: str
    groups: Sequence[str]
    domain: str
    vendor_data: bytes

    @property
    def hostname(self) -> str:
        """The whole name of the guest."""
        return f"{self.instance.hostname}.{self.domain}" if self.domain else self.instance.hostname


def tree(known: Known) -> Tree:
    """Give all that a guest can read, from the root on."""
    ec2 = _ec2(known)
    return {**dict.fromkeys((*EC2_VERSIONS, LATEST), ec2), "openstack": _openstack(known)}


def read(tree: Tree, path: Sequence[str]) -> bytes | None:
    """Read a file, or list a folder; None when there is none.

    :param path: the names on the way; those that are empty are passed over
    """
    found: File | Tree = tree
    for name in filter(None, path):
        inside = {key.partition("=")[0]: it for key, it in found.items()} if isinstance(found, Mapping) else {}
        if name not in inside:
            return None
        found = inside[name]
    if isinstance(found, Mapping):
        return "\n".join(map(_listed, found, found.values())).encode()
    return found() if callable(found) else found


def _listed(name: str, it: "File | Tree") -> str:
    return f"{name}/" if isinstance(it, Mapping) and "=" not in name else name


# ---- EC2's


def _ec2(known: Known) -> Tree:
    found: dict[str, File | Tree] = {"meta-data": _meta_data(known)}
    if known.user_data is not None:
        found["user-data"] = base64.b64decode(known.user_data)
    return found


def _meta_data(known: Known) -> Tree:
    instance = known.instance
    fixed, floating = (_address(instance.addresses, kind) for kind in ("fixed", "floating"))
    told: dict[str, str | Tree] = {
        "ami-id": _short("ami", instance.image_ref),
        "ami-launch-index": str(instance.launch_index),
        "ami-manifest-path": "FIXME",  # Nova's very word, which some clients have come to know
        "block-device-mapping": {"ami": b"vda", "root": instance.root_device_name.encode()},
        "hostname": known.hostname,
        "instance-action": "none",
        "instance-id": _short("i", instance.uuid),
        "instance-type": instance.flavor.name,
        "local-hostname": known.hostname,
        "local-ipv4": fixed,
        "placement": {"availability-zone": (instance.availability_zone or "").encode()},
        "public-hostname": known.hostname,
        "public-ipv4": floating,
        "reservation-id": instance.reservation_id,
        "security-groups": "\n".join(known.groups),
    }
    if known.keypair is not None:
        told["public-keys"] = {f"0={known.keypair.name}": {"openssh-key": known.keypair.public_key.encode()}}
    return {name: it.encode() if isinstance(it, str) else it for name, it in sorted(told.items())}


def _address(addresses: Sequence[FixedIP], kind: str) -> str:
    return next((ip.address for ip in addresses if ip.kind == kind and ip.version_number == 4), "")


def _short(kind: str, uuid: str) -> str:
    """Give an id in EC2's form, which has 32 bits; Nova counts them, and here they are the first of the uuid."""
    return f"{kind}-{uuid[:8] or '00000000'}"


# ---- OpenStack's


def _openstack(known: Known) -> Tree:
    return {version: _of_version(known, version) for version in (*OPENSTACK_VERSIONS, LATEST)}


def _of_version(known: Known, version: str) -> Tree:
    files: dict[str, File | Tree] = {"meta_data.json": lambda: _encode(_meta_data_json(known, version))}
    if known.user_data is not None:
        files["user_data"] = base64.b64decode(known.user_data)
    if version >= "2013-04-04":  # "latest" is later than any
        files["password"] = known.password.encode()
    if version >= "2013-10-17":
        files["vendor_data.json"] = known.vendor_data
    if version >= "2015-10-15":
        files["network_data.json"] = lambda: _encode(_network_data(known))
    if version >= "2016-10-06":
        files["vendor_data2.json"] = b"{}"
    return files


def _meta_data_json(known: Known, version: str) -> Json:
    instance = known.instance
    told: Json = {
        "uuid": instance.uuid,
        "name": instance.display_name,
        "hostname": known.hostname,
        "availability_zone": instance.availability_zone,
        "launch_index": instance.launch_index,
    }
    if instance.metadata:
        told["meta"] = instance.metadata
    if key := known.keypair:
        told["public_keys"] = {key.name: key.public_key}
        told["keys"] = [{"name": key.name, "type": key.type, "data": key.public_key}]
    if version >= "2013-10-17":
        told["random_seed"] = base64.b64encode(os.urandom(SEED_BYTES)).decode()
    if version >= "2015-10-15":
        told["project_id"] = instance.project_id
    if version >= "2016-06-30":
        told["devices"] = []
    if version >= "2020-10-14":
        told["dedicated_cpus"] = []
    return told


def _network_data(known: Known) -> Json:
    """Tell of the network interfaces; each gets its address by DHCP, as the console of a fake guest says."""
    links = [
        {"id": f"tap{port.id[:11]}", "vif_id": port.id, "type": "tap", "mtu": MTU,
         "ethernet_mac_address": port.mac_address}
        for port in known.ports
    ]  # fmt: skip
    networks = [
        {"id": f"network{place}", "type": "ipv4_dhcp", "link": link["id"], "network_id": port.network_id}
        for place, (port, link) in enumerate(zip(known.ports, links, strict=True))
    ]
    return {"links": links, "networks": networks, "services": []}


def _encode(told: Json) -> bytes:
    return msgspec.json.encode(told)
