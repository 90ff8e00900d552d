"""The metadata service as an application: which instance asks, and what it may read (nova: api/metadata/handler.py).

A guest has no token.  Two ways tell which one is asking, and an operator turns each on (``[neutron]``, ``[api]``):

* a metadata proxy, such as Neutron's, that knows the port a request came from, names the instance in headers and signs
  its uuid with a secret that it shares with the api;
* the address that the request comes from is an address of the instance.  No packet comes from a fake guest, but on a
  machine whose loopback has that address, ``curl --interface`` asks as the guest.

Where neither is on, there is no metadata service: 404.
"""

import hmac
import json
import logging
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from oslo_config.cfg import ConfigOpts

from mininova import errors
from mininova.api import other_services
from mininova.api.metadata.documents import Known, read, tree
from mininova.api.other_services import DEFAULT_GROUP, NetworkService, group_names
from mininova.db import instances, keypairs, ports
from mininova.db.session import Connection, Database
from mininova.objects import Instance
from mininova.wsgi import Application, Reply, Request, Route, current_parts

LOG = logging.getLogger(__name__)

MAX_PASSWORD_BYTES = 1020  # Nova keeps four pieces of 255


class MetadataApplication(Application):
    """Answers guests.

    :param vendor_data: what the operator says to every guest, as JSON
    """

    def __init__(self, conf: ConfigOpts, db: Database, network: NetworkService, vendor_data: bytes = b"{}") -> None:
        super().__init__((Route("GET", "/", self.show), Route("POST", "/", self.tell_password)), "compute")
        self._conf, self._db, self._network, self._vendor_data = conf, db, network, vendor_data

    def open(self, request: Request) -> str:
        """Have all paths be answered in one place: what there is, the tree of documents says."""
        return "/"

    def show(self, request: Request) -> Reply:
        """Read a file, or list a folder."""
        with self._db.read() as tx:
            known = self._known(tx, self._asking(tx, request))
        path = _path(request)
        found = read(tree(known), path)
        if found is None:
            raise errors.NotFound()
        kind = "application/json" if path[-1].endswith(".json") else "text/plain"
        return Reply(200, found, content_type=kind)

    def tell_password(self, request: Request) -> Reply:
        """Keep the password that a guest made up for its administrator, encrypted for its owner's key; once only."""
        path = _path(request)
        if len(path) != 3 or path[0] != "openstack" or path[2] != "password":
            raise errors.NotFound()
        if len(request.body) > MAX_PASSWORD_BYTES:
            raise errors.InvalidInput("Password is too long.")
        try:
            password = request.body.decode("ascii")
        except UnicodeDecodeError:
            raise errors.InvalidInput("An encrypted password is text in ASCII.") from None
        with self._db.read() as tx:
            instance = self._asking(tx, request)
        with self._db.write() as tx:
            if not instances.tell_password(tx, instance.uuid, password):
                raise errors.Conflict("The password was told before; its owner can clear it.")
        LOG.info("api keeps the password that the guest of instance %s told", instance.uuid)
        return Reply(200)

    # ---- who is asking

    def _asking(self, tx: Connection, request: Request) -> Instance:
        """Find the instance of the guest that asks.

        :raises errors.NotFound: when there is none
        :raises errors.NotAllowed: when the proxy's signature is wrong
        """
        if self._conf.neutron.service_metadata_proxy:
            return self._named(tx, request.headers)
        if self._conf.api.metadata_by_address:
            return _at(tx, request.remote_addr or "")
        raise errors.NotFound("There is no metadata service here.")

    def _named(self, tx: Connection, headers: Mapping[str, str]) -> Instance:
        named = {name: headers.get(f"X-{name}", "") for name in ("Instance-ID", "Tenant-ID", "Instance-ID-Signature")}
        for name, value in named.items():
            if not value:
                raise errors.InvalidInput(f"X-{name} header is missing from request.")
        uuid, project, signature = named.values()
        secret = self._conf.neutron.metadata_proxy_shared_secret
        expected = hmac.new(secret.encode(), uuid.encode(), sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            LOG.warning("api refuses metadata of instance %.36s to %s: the signature is wrong", uuid, project[:64])
            raise errors.NotAllowed("Invalid proxy request signature.")
        return instances.get(tx, uuid, project_id=project)

    # ---- what is told

    def _known(self, tx: Connection, instance: Instance) -> Known:
        uuid = instance.uuid
        groups = ports.security_groups(tx, [uuid])
        return Known(
            instance=instance,
            keypair=_keypair(tx, instance),
            ports=ports.search(tx, instance_uuid=[uuid]),
            user_data=instances.user_data(tx, [uuid]).get(uuid),
            password=instances.password(tx, uuid),
            groups=group_names(self._network, groups).get(uuid, [DEFAULT_GROUP]),
            domain=self._conf.api.dhcp_domain,
            vendor_data=self._vendor_data,
        )


def _at(tx: Connection, address: str) -> Instance:
    """Find the instance that has an address.

    :raises errors.NotFound: when none has it, or several, in networks of their own
    """
    found = {port.instance_uuid for port in ports.search(tx, address=[address]) if port.instance_uuid}
    if len(found) != 1:
        LOG.info("api has no metadata for %s: %d instances have that address", address, len(found))
        raise errors.NotFound()
    return instances.get(tx, found.pop())


def _keypair(tx: Connection, instance: Instance) -> keypairs.Keypair | None:
    """Read the instance's key pair, if it was not deleted since."""
    if instance.key_name is None:
        return None
    try:
        return keypairs.get(tx, instance.user_id, instance.key_name)
    except errors.KeypairNotFound:
        return None


def _path(request: Request) -> list[str]:
    """Give the whole path, whichever part of it led here."""
    return f"{request.script_name}{request.path_info}".strip("/").split("/")


def app_factory(global_conf: dict[str, str], network_service: str | None = None, **unknown: str) -> MetadataApplication:
    """Make the Paste application ``metadata_app``.

    :param network_service: see other_services.py
    :raises errors.ConfigError: when the settings say that a proxy signs requests, and not with which secret; or when
        the vendor data is no JSON
    """
    if unknown:
        raise errors.ConfigError(problem=f"[app:metadata_app] of api-paste.ini: nothing reads {', '.join(unknown)}")
    parts = current_parts()
    conf = parts.conf
    if conf.neutron.service_metadata_proxy and not conf.neutron.metadata_proxy_shared_secret:
        raise errors.ConfigError(
            problem="[neutron] service_metadata_proxy needs metadata_proxy_shared_secret, which the proxy signs with"
        )
    network = other_services.network_service(network_service, parts)
    return MetadataApplication(conf, parts.db, network, _vendor_data(conf.api.vendordata_jsonfile_path))


def _vendor_data(path: str | None) -> bytes:
    if path is None:
        return b"{}"
    try:
        said: Any = json.loads(Path(path).read_bytes())
    except (OSError, ValueError) as error:
        raise errors.ConfigError(problem=f"[api] vendordata_jsonfile_path = {path} cannot be used: {error}") from None
    return json.dumps(said).encode()
