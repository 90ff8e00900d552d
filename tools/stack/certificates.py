"""Certificates of a stack's own, for TLS between the services and the broker (MININOVA_TLS=1).

Each start makes an authority, which signs the broker's certificate; its key is never written, so it can sign nothing
else.  The services trust its certificate, ca.pem, and no other.
"""

import datetime
import ipaddress
import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from stack import ports
from stack.broker import Certificates
from stack.home import Home

#: How long a stack may run with them.
DAYS = 825


class Authority:
    """Signs certificates, and writes all into a folder.

    :param name: of the authority; its file's name begins with it
    """

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        itself = self._begin(self._name, self._key.public_key())
        itself = itself.add_extension(x509.BasicConstraints(True, None), critical=True)
        signed = itself.add_extension(usage, critical=True).sign(self._key, hashes.SHA256())
        self.cert = self._write(f"{name}.pem", signed.public_bytes(serialization.Encoding.PEM))

    def sign(self, name: str, address: str) -> tuple[Path, Path]:
        """Make a certificate for an IP address; give it and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        place = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
        made = self._begin(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key.public_key())
        signed = made.add_extension(place, critical=False).sign(self._key, hashes.SHA256())
        cert = self._write(f"{name}.pem", signed.public_bytes(serialization.Encoding.PEM))
        plain = serialization.NoEncryption()
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        return cert, self._write(f"{name}.key", private)

    def _begin(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        """Begin a certificate, with the marks of both keys, as RFC 5280 has it; Python 3.13 insists on them."""
        now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
        built = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key)
        built = built.serial_number(x509.random_serial_number())
        built = built.not_valid_before(now - day).not_valid_after(now + DAYS * day)
        built = built.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return built.add_extension(signer, critical=False)

    def _write(self, name: str, data: bytes) -> Path:
        """Write a file that only this user may read, in place of an older one."""
        path = self._folder / name
        path.unlink(missing_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
        return path


def store(shown: Certificates, path: Path, password: str) -> None:
    """Put a certificate and its key into a store of Java's, PKCS #12."""
    cert = x509.load_pem_x509_certificate(shown.cert.read_bytes())
    key = serialization.load_pem_private_key(shown.key.read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    encrypted = serialization.BestAvailableEncryption(password.encode())
    path.touch(mode=0o600)
    path.write_bytes(pkcs12.serialize_key_and_certificates(b"own", key, cert, None, encrypted))


def make(home: Home) -> Certificates:
    """Make the authority of a stack and its broker's certificate; the authority's key is not kept."""
    home.tls.mkdir(mode=0o700, exist_ok=True)
    authority = Authority(home.tls, home.ca.stem)
    cert, key = authority.sign("broker", ports.LOOPBACK)
    return Certificates(cert, key, authority.cert)
