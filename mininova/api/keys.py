"""The keys of keypairs: making a pair, and the fingerprint that tells one public key from another.

A pair is an SSH key, or an X.509 certificate for Windows guests.  The user gets the private half once; mininova keeps
the public half only.
"""

import base64
import hashlib
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_ssh_public_key,
    pkcs12,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mininova import errors

KEY_BITS = 2048
CERTIFICATE_DAYS = 3650
MAX_COMMON_NAME_BYTES = 64
# The name that Windows looks a user up by, as it stands in a certificate: an object id and a string in DER.
USER_PRINCIPAL_NAME = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
_DER_UTF8_STRING = 0x0C


def generate(type: str, user_id: str) -> tuple[str, str]:
    """Make a pair of keys: first the private half, then the public one.

    :param type: ``ssh``, a PEM and a line of authorized_keys; or ``x509``, a PKCS #12 archive in base64 and a PEM
    :raises errors.InvalidInput: when no certificate can name this user
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    return _ssh_pair(key) if type == "ssh" else _x509_pair(key, user_id)


def fingerprint_of(public_key: str, type: str) -> str:
    """Give a key's fingerprint: the MD5 of an SSH key, the SHA-1 of a certificate, as Nova does.

    :param type: ``ssh`` or ``x509``
    :raises errors.InvalidInput: when it is no such key
    """
    try:
        return _of_ssh(public_key) if type == "ssh" else _of_x509(public_key)
    except (ValueError, UnsupportedAlgorithm) as reason:
        raise errors.InvalidInput("Keypair data is invalid: failed to generate fingerprint") from reason


def _ssh_pair(key: rsa.RSAPrivateKey) -> tuple[str, str]:
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return private.decode(), f"{public.decode()} Generated-by-mininova"


def _x509_pair(key: rsa.RSAPrivateKey, user_id: str) -> tuple[str, str]:
    """Make a certificate that its user can log in with (nova: crypto.generate_winrm_x509_cert)."""
    if not 0 < len(user_id.encode()) <= MAX_COMMON_NAME_BYTES:
        raise errors.InvalidInput(f"user_id must have 1 to {MAX_COMMON_NAME_BYTES} bytes to stand in a certificate.")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, user_id)])
    address = f"{user_id}@localhost".encode()
    # A string in DER: its kind, its length (in one byte, for it is below 128), and itself.
    principal = x509.OtherName(USER_PRINCIPAL_NAME, bytes([_DER_UTF8_STRING, len(address)]) + address)
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=CERTIFICATE_DAYS))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([principal]), critical=False)
        .sign(key, hashes.SHA256())
    )
    archive = pkcs12.serialize_key_and_certificates(None, key, certificate, None, NoEncryption())
    return base64.b64encode(archive).decode(), certificate.public_bytes(Encoding.PEM).decode()


def _of_ssh(public_key: str) -> str:
    load_ssh_public_key(public_key.encode())
    encoded = public_key.split()[1]
    return _colons(hashlib.md5(base64.b64decode(encoded), usedforsecurity=False).hexdigest())


def _of_x509(certificate: str) -> str:
    return _colons(x509.load_pem_x509_certificate(certificate.encode()).fingerprint(hashes.SHA1()).hex())


def _colons(digest: str) -> str:
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))
