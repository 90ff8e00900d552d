"""The definitions that a broker imports."""

import base64
import hashlib

from mininova.trust.broker import definitions


def test_the_password_is_hashed_as_rabbitmq_checks_it():
    """The first four bytes are the salt, the rest is the digest of the salt and the password."""
    raw = base64.b64decode(definitions.password_hash("secret"))

    assert raw[4:] == hashlib.sha256(raw[:4] + b"secret").digest()
    assert definitions.password_hash("secret") != definitions.password_hash("secret")
