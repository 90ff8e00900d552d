"""SSH keys: making a pair, and the fingerprint that tells one from another.

A private key is given to its user once and kept nowhere.
"""

import base64
import hashlib

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
)

from mininova import errors

BITS = 2048


def generate() -> tuple[str, str]:
    """Make a key pair: the private half as PEM, the public half as one line of authorized_keys."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return private.decode(), f"{public.decode()} Generated-by-mininova"


def fingerprint_of(public_key: str, type: str) -> str:
    """Give a key's fingerprint: the MD5 of an SSH key, the SHA-1 of a certificate, as Nova does.

    :param type: ``ssh`` or ``x509``
    :raises errors.InvalidInput: when it is no such key
    """
    try:
        return _of_ssh(public_key) if type == "ssh" else _of_x509(public_key)
    except (ValueError, UnsupportedAlgorithm) as reason:
        raise errors.InvalidInput("Keypair data is invalid: failed to generate fingerprint") from reason


def _of_ssh(public_key: str) -> str:
    load_ssh_public_key(public_key.encode())
    encoded = public_key.split()[1]
    return _colons(hashlib.md5(base64.b64decode(encoded), usedforsecurity=False).hexdigest())


def _of_x509(certificate: str) -> str:
    return _colons(x509.load_pem_x509_certificate(certificate.encode()).fingerprint(hashes.SHA1()).hex())


def _colons(digest: str) -> str:
    return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))
