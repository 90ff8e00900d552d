"""Keypairs, and the keys and certificates in them."""

import base64
import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key, pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID

from mininova import errors
from mininova.api import keys

# The fingerprint is the output of `ssh-keygen -l -E md5`.
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK0wmN/Cr3JXqmLW7u+g9pTh+wyqDHpSQEIQczXkVx9q somebody@somewhere"
FINGERPRINT = "7f:f8:14:19:38:eb:b8:ca:18:a4:04:02:aa:7d:b4:c4"


def make(api: Any, version: str = "2.2", user: str = "member", **keypair: Any):
    return api("POST", "/os-keypairs", {"keypair": {"name": "k", **keypair}}, version=version, user=user)


def test_a_given_key_is_kept_as_it_is(api: Any) -> None:
    """It is kept with its fingerprint; the user keeps the private half."""
    shown = make(api, public_key=KEY).body["keypair"]
    assert shown == {
        "name": "k", "type": "ssh", "public_key": KEY, "fingerprint": FINGERPRINT, "user_id": "member",
    }  # fmt: skip


def test_a_pair_is_made_for_a_request_without_a_key(api: Any) -> None:
    """The answer has the private half, once, and it fits the public half."""
    shown = make(api).body["keypair"]
    private = load_pem_private_key(shown["private_key"].encode(), None)
    assert private.key_size == 2048
    assert shown["fingerprint"] == keys.fingerprint_of(shown["public_key"], "ssh")
    assert "private_key" not in api("GET", "/os-keypairs/k", version="2.2").body["keypair"]


def test_a_certificate_is_made_for_a_request_without_one(api: Any) -> None:
    """Up to 2.91: its user can log in with it, and the archive without a password has the private key."""
    shown = make(api, version="2.91", type="x509").body["keypair"]
    certificate = x509.load_pem_x509_certificate(shown["public_key"].encode())
    private, packed, _ = pkcs12.load_key_and_certificates(base64.b64decode(shown["private_key"]), None)
    assert packed == certificate
    assert private.public_key() == certificate.public_key()
    assert certificate.subject.rfc4514_string() == "CN=member"
    assert certificate.fingerprint(hashes.SHA1()).hex(":") == shown["fingerprint"]
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names[0].value.endswith(b"member@localhost")
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_the_longest_name_fits_a_certificate() -> None:
    """The name in DER says its own length."""
    _, certificate = keys.generate("x509", "a" * 64)
    extensions = x509.load_pem_x509_certificate(certificate.encode()).extensions
    names = extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names[0].value == b"\x0c\x4a" + b"a" * 64 + b"@localhost"


@pytest.mark.parametrize("user_id", ["", "a" * 65, "\u00e4" * 33])
def test_a_name_that_no_certificate_holds_is_refused(user_id: str) -> None:
    """X.509 limits a common name to 64 bytes."""
    with pytest.raises(errors.InvalidInput, match="user_id must have 1 to 64 bytes"):
        keys.generate("x509", user_id)


def test_from_2_92_on_a_key_must_be_given(api: Any) -> None:
    """From 2.92 on the name may have an @ and dots."""
    assert make(api, version="2.92").status == 400
    assert make(api, version="2.92", name="me@home.org", public_key=KEY).status == 201
    assert make(api, version="2.91", name="you@home.org", public_key=KEY).status == 400


def test_statuses_changed_with_2_2(api: Any) -> None:
    """200 and 202 became 201 and 204."""
    assert [make(api, v, public_key=KEY, name=v[2:]).status for v in ("2.1", "2.2")] == [200, 201]
    assert [api("DELETE", f"/os-keypairs/{v[2:]}", version=v).status for v in ("2.1", "2.2")] == [202, 204]


def test_a_name_is_a_users_own(api: Any) -> None:
    """Each user can take a name once."""
    assert make(api, public_key=KEY).status == 201
    assert make(api, public_key=KEY).message == "Key pair 'k' already exists."
    assert make(api, public_key=KEY, user="stranger").status == 201
    assert len(api("GET", "/os-keypairs").body["keypairs"]) == 1


def test_other_users_keys_are_for_administrators(api: Any) -> None:
    """From 2.10 on an administrator names the user by id."""
    make(api, version="2.10", user="admin", user_id="member", public_key=KEY)
    assert api("GET", "/os-keypairs/k").status == 200
    assert len(api("GET", "/os-keypairs?user_id=member", version="2.10", user="admin").body["keypairs"]) == 1
    assert api("GET", "/os-keypairs?user_id=member", version="2.10", user="stranger").status == 403
    assert api("GET", "/os-keypairs?user_id=member", version="2.9", user="stranger").body == {"keypairs": []}


def test_lists_come_in_pages_from_2_35_on(api: Any) -> None:
    """Keys are sorted by name, and each page has a link to the next one."""
    for name in ("a", "b"):
        make(api, name=name, public_key=KEY)
    page = api("GET", "/os-keypairs?limit=1", version="2.35").body
    assert [row["keypair"]["name"] for row in page["keypairs"]] == ["a"]
    assert page["keypairs_links"][0]["href"].endswith("/os-keypairs?limit=1&marker=a")
    assert api("GET", "/os-keypairs?marker=z", version="2.35").message == "Marker z could not be found."


def test_a_key_that_is_not_there_is_404(api: Any) -> None:
    """It is 404 to show it and to delete it."""
    for method in ("GET", "DELETE"):
        assert api(method, "/os-keypairs/none").message == "Keypair none not found for user member"


@pytest.mark.parametrize(
    "key",
    ["", "nonsense", "ssh-rsa", "ssh-rsa !!!!", "ssh-rsa AAAA", KEY.replace("ssh-ed25519", "ssh-rsa"), KEY[:40]],
)
def test_an_invalid_key_is_refused(api: Any, key: str) -> None:
    """The key must be of the kind that the request says."""
    answer = make(api, public_key=key)
    assert (answer.status, answer.message) == (400, "Keypair data is invalid: failed to generate fingerprint")


def test_a_certificate_has_a_fingerprint_too() -> None:
    """It is the SHA-1 of the DER form; text that is not a certificate is refused."""
    key = ed25519.Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "me")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now)
    certificate = made.sign(key, None)
    digest = hashlib.sha1(certificate.public_bytes(Encoding.DER)).hexdigest()
    fingerprint = keys.fingerprint_of(certificate.public_bytes(Encoding.PEM).decode(), "x509")
    assert fingerprint.replace(":", "") == digest
    with pytest.raises(errors.InvalidInput, match="failed to generate fingerprint"):
        keys.fingerprint_of(KEY, "x509")
