"""The certificates of a stack: what they prove, and which keys are stored."""

import ssl
import stat

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from stack import certificates


def test_the_brokers_certificate_is_the_authoritys(home):
    """It is for the broker's address and signed by the trusted authority, also under strict checks."""
    made = certificates.make(home)
    broker, authority = (x509.load_pem_x509_certificate(path.read_bytes()) for path in (made.cert, made.ca))

    broker.verify_directly_issued_by(authority)
    names = broker.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    assert made.ca == home.ca
    strict = ssl.create_default_context(cafile=made.ca)
    strict.verify_flags |= ssl.VERIFY_X509_STRICT
    shake_hands(made, strict)


def shake_hands(made, client_context):
    """Run a TLS handshake between a client and a server with these certificates, without a network."""
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(made.cert, made.key)
    upwards, downwards = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(downwards, upwards, server_hostname="127.0.0.1")
    server = server_context.wrap_bio(upwards, downwards, server_side=True)
    waiting = [client, server]
    for end in [client, server] * 3:
        try:
            end.do_handshake()
            waiting = [other for other in waiting if other is not end]
        except ssl.SSLWantReadError:
            continue
    assert waiting == []


def test_the_authoritys_key_is_not_kept(home):
    """Only the broker's key is stored: no further certificate can be signed."""
    made = certificates.make(home)
    authority = x509.load_pem_x509_certificate(made.ca.read_bytes())
    (kept,) = [path for path in home.root.rglob("*") if path.is_file() and b"PRIVATE KEY" in path.read_bytes()]

    assert kept == made.key
    assert load_pem_private_key(kept.read_bytes(), None).public_key() != authority.public_key()


def test_each_start_has_an_authority_of_its_own(home):
    """The certificates of an earlier start are not trusted."""
    first = x509.load_pem_x509_certificate(certificates.make(home).cert.read_bytes())
    authority = x509.load_pem_x509_certificate(certificates.make(home).ca.read_bytes())

    with pytest.raises(InvalidSignature):
        first.verify_directly_issued_by(authority)


def test_all_of_them_are_for_their_user_only(home):
    """Other users can neither read the key, nor replace the authority."""
    certificates.make(home)

    modes = {stat.S_IMODE(path.stat().st_mode) for path in home.tls.iterdir()}
    assert (stat.S_IMODE(home.tls.stat().st_mode), modes) == (0o700, {0o600})
