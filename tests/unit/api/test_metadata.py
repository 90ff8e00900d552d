"""The metadata service: what a guest is told, and which one is asking."""

import base64
import hmac
from pathlib import Path
from typing import Any

import pytest

from mininova.api.metadata.app import MetadataApplication
from mininova.api.metadata.documents import EC2_VERSIONS, OPENSTACK_VERSIONS
from mininova.db import networks
from mininova.plugins.paste import OURS
from mininova.wsgi import Parts, Request, load_app
from tests.fixtures.api_harness import IMAGE, PROJECT

SECRET = "shared"
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK0wmN/Cr3JXqmLW7u+g9pTh+wyqDHpSQEIQczXkVx9q x"
SETTINGS = {"neutron.service_metadata_proxy": True, "neutron.metadata_proxy_shared_secret": SECRET}


class Guest:
    """Asks for the metadata of one instance, through a proxy that signs."""

    def __init__(self, api: Any, uuid: str) -> None:
        self.api, self.uuid = api, uuid
        self.app = MetadataApplication(api.conf, api.db, api.cloud.network, b'{"ours": 1}')
        signature = hmac.new(SECRET.encode(), uuid.encode(), "sha256").hexdigest()
        self.headers = {"X-Instance-ID": uuid, "X-Tenant-ID": PROJECT, "X-Instance-ID-Signature": signature}

    def __call__(self, path: str, method: str = "GET", body: bytes = b"", **headers: str | None) -> Any:
        said = {**self.headers, **{f"X-{name.replace('_', '-')}": value for name, value in headers.items()}}
        request = Request.blank(path, method=method, headers={k: v for k, v in said.items() if v is not None})
        request.body = body
        return request.get_response(self.app)

    def read(self, path: str) -> str:
        """Give what there is at a path."""
        response = self(path)
        assert response.status_int == 200, (path, response.text)
        return response.text


@pytest.fixture
def guest(make_api: Any) -> Guest:
    """Give the guest of a server with a key, user data, metadata and an address."""
    api = make_api(**SETTINGS)
    assert api("POST", "/os-keypairs", {"keypair": {"name": "mine", "public_key": PUBLIC_KEY}}).status == 200
    user_data = base64.b64encode(b"#!/bin/sh\n\xff").decode()
    uuid = api.active(name="web 1", key_name="mine", user_data=user_data, metadata={"role": "web"})
    with api.db.write() as tx:
        networks.allocate(tx, "flat", "10.0.0.0/16", uuid)
    return Guest(api, uuid)


def test_ec2s_tree(guest: Guest) -> None:
    """A folder is listed, a file is read; the versions are alike."""
    assert guest.read("/latest") == "meta-data/\nuser-data"
    names = guest.read("/latest/meta-data/").split("\n")
    assert names == sorted(names)
    assert {"instance-id", "placement/", "public-keys/"} <= set(names)
    assert guest.read("/latest/meta-data/instance-id") == f"i-{guest.uuid[:8]}"
    assert guest.read("/latest/meta-data/hostname") == "web-1.novalocal"
    assert guest.read("/latest/meta-data/local-ipv4") == guest.api.instance(guest.uuid).addresses[0].address
    assert guest.read("/latest/meta-data/security-groups") == "default"
    assert guest.read("/latest/meta-data/ami-id") == f"ami-{IMAGE[:8]}"
    assert len({guest.read(f"/{version}/meta-data") for version in (*EC2_VERSIONS, "latest")}) == 1
    assert guest("/latest/user-data").body == b"#!/bin/sh\n\xff"
    assert guest("/latest/meta-data/nothing").status_int == guest("/latest/meta-data/hostname/x").status_int == 404


def test_a_key_is_listed_by_its_name(guest: Guest) -> None:
    """cloud-init reads ``0=mine`` and asks for ``0``."""
    assert guest.read("/latest/meta-data/public-keys/") == "0=mine"
    assert guest.read("/latest/meta-data/public-keys/0/") == "openssh-key"
    assert guest.read("/latest/meta-data/public-keys/0/openssh-key") == PUBLIC_KEY


def test_openstacks_documents(guest: Guest) -> None:
    """They are those that cloud-init's OpenStack data source reads."""
    assert guest.read("/openstack").split("\n") == [f"{version}/" for version in (*OPENSTACK_VERSIONS, "latest")]
    told = guest("/openstack/latest/meta_data.json").json
    assert (told["uuid"], told["name"], told["hostname"]) == (guest.uuid, "web 1", "web-1.novalocal")
    assert (told["meta"], told["project_id"], told["devices"]) == ({"role": "web"}, PROJECT, [])
    assert told["public_keys"] == {"mine": PUBLIC_KEY}
    assert len(base64.b64decode(told["random_seed"])) == 512
    assert guest("/openstack/latest/user_data").body == b"#!/bin/sh\n\xff"
    assert guest("/openstack/latest/vendor_data.json").json == {"ours": 1}
    network = guest("/openstack/latest/network_data.json").json
    (link,), (address,) = network["links"], network["networks"]
    mine = guest.api.instance(guest.uuid).addresses[0]
    assert link["ethernet_mac_address"] == mine.mac_address
    assert (address["type"], address["link"]) == ("ipv4_dhcp", link["id"])


def test_an_old_version_has_what_it_had(guest: Guest) -> None:
    """A document is there from the version on that brought it."""
    assert guest.read("/openstack/2012-08-10") == "meta_data.json\nuser_data"
    assert "random_seed" not in guest("/openstack/2013-04-04/meta_data.json").json
    assert guest("/openstack/2013-10-17/network_data.json").status_int == 404


def test_a_guest_tells_its_password_once(guest: Guest) -> None:
    """Its owner reads it by os-server-password, and clears it; then another can be told."""
    shown = f"/servers/{guest.uuid}/os-server-password"
    assert guest.read("/openstack/latest/password") == ""
    assert guest("/openstack/latest/password", "POST", b"encrypted").status_int == 200
    assert guest("/openstack/latest/password", "POST", b"another").status_int == 409
    assert guest.read("/openstack/latest/password") == "encrypted"
    assert guest.api("GET", shown).body == {"password": "encrypted"}
    assert guest.api("DELETE", shown).status == 204
    assert guest.api("GET", shown).body == {"password": ""}
    assert guest("/openstack/latest/password", "POST", b"another").status_int == 200


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/openstack/latest/password", b"x" * 1021, 400),
        ("/openstack/latest/password", b"\xff", 400),
        ("/openstack/latest/user_data", b"x", 404),
        ("/latest/password", b"x", 404),
    ],
)
def test_what_cannot_be_told(guest: Guest, path: str, body: bytes, status: int) -> None:
    """Nothing but a password of its length in ASCII."""
    assert guest(path, "POST", body).status_int == status
    assert guest.read("/openstack/latest/password") == ""


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Instance_ID": None}, 400),
        ({"Tenant_ID": None}, 400),
        ({"Instance_ID_Signature": None}, 400),
        ({"Instance_ID_Signature": "0" * 64}, 403),
        ({"Instance_ID_Signature": "\u00e9"}, 403),
        ({"Instance_ID": "another"}, 403),
        ({"Tenant_ID": "b" * 32}, 404),
    ],
)
def test_a_proxy_that_says_something_else(guest: Guest, headers: dict[str, Any], status: int) -> None:
    """The signature is of the instance's uuid, and the project must be its own."""
    for method, path in (("GET", "/latest/meta-data/"), ("POST", "/openstack/latest/password")):
        assert guest(path, method, b"x" * (method == "POST"), **headers).status_int == status


def test_a_guest_is_known_by_its_address(make_api: Any) -> None:
    """Where the operator says so, and no header says anything."""
    api = make_api(**{"api.metadata_by_address": True})
    guest = Guest(api, api.active())
    with api.db.write() as tx:
        address = networks.allocate(tx, "flat", "10.0.0.0/16", guest.uuid).address

    def ask(address: str) -> Any:
        request = Request.blank("/latest/meta-data/instance-id", headers=guest.headers, remote_addr=address)
        return request.get_response(guest.app)

    assert ask(address).text == f"i-{guest.uuid[:8]}"
    assert ask("10.0.255.254").status_int == 404


def test_the_paths_that_guests_ask_for_lead_to_it(make_api: Any, tmp_path: Path) -> None:
    """The Paste file has each version of EC2's, and OpenStack's folder, at the root of the port."""
    (key := tmp_path / "token.key").write_text("k" * 64)
    files = {"identity.token_key_file": str(key), "image.directory": str(tmp_path)}
    api = make_api(**SETTINGS, **files)
    guest = Guest(api, api.active())
    guest.app = load_app(OURS, "services", Parts(api.conf, api.db, None, api.notifier, None))  # type: ignore[arg-type]
    for version in (*EC2_VERSIONS, "latest"):
        assert guest.read(f"/{version}/meta-data/instance-id") == f"i-{guest.uuid[:8]}"
    assert guest("/openstack/latest/meta_data.json").json["uuid"] == guest.uuid


def test_there_is_no_metadata_service_by_default(api: Any) -> None:
    """Neither a header nor an address tells anything of an instance."""
    guest = Guest(api, api.active())
    assert guest("/latest/meta-data/").status_int == 404
