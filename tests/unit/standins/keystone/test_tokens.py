import os
import stat
import time
from concurrent.futures import ThreadPoolExecutor

import jwt
import msgspec
import pytest

from mininova import errors
from mininova.standins.keystone import tokens
from mininova.standins.keystone.db.standing import Scope
from mininova.standins.keystone.tokens import Claims, Signer

KEY = b"k" * 64


def claims(**fields):
    values = {"sub": "ann", "jti": "audit", "iat": int(time.time()), "exp": int(time.time()) + 60, "gen": 0}
    return Claims(**{**values, "scope": Scope("project", "demo"), "roles": ("member",), **fields})


@pytest.fixture
def signer():
    return Signer(KEY)


def test_claims_come_back(signer):
    """The claims of a signed token are read back."""
    issued = claims()
    assert signer.read(signer.sign(issued)) == issued


def test_a_token_is_small(signer):
    """A token with one role fits well into a header."""
    ids = {"sub": "a" * 32, "scope": Scope("project", "b" * 32), "roles": ("c" * 32,), "jti": tokens.new_audit_id()}
    assert len(signer.sign(claims(**ids))) < 450


def test_expired(signer):
    """A token is invalid from the second in which it expires."""
    with pytest.raises(errors.Unauthorized):
        signer.read(signer.sign(claims(exp=int(time.time()))))


def test_expired_after_it_was_read(signer, monkeypatch):
    """A token whose signature is remembered expires like others."""
    token = signer.sign(claims())
    signer.read(token)
    later = time.time() + 60
    monkeypatch.setattr(tokens.time, "time", lambda: later)
    with pytest.raises(errors.Unauthorized):
        signer.read(token)


def test_forged_with_another_key(signer):
    """A token that another key signed is refused."""
    with pytest.raises(errors.Unauthorized):
        signer.read(Signer(b"x" * 64).sign(claims()))


@pytest.mark.parametrize("algorithm", ["none", "HS384", "HS512"])
def test_forged_with_another_algorithm(signer, algorithm):
    """The token cannot choose the algorithm: a token without a signature is refused."""
    key = KEY if algorithm != "none" else None
    forged = jwt.encode(msgspec.to_builtins(claims()), key, algorithm)
    with pytest.raises(errors.Unauthorized):
        signer.read(forged)


def test_forged_claims(signer):
    """Other claims under a good signature are refused."""
    header, _, signature = signer.sign(claims()).split(".")
    _, payload, _ = Signer(KEY).sign(claims(sub="root")).split(".")
    with pytest.raises(errors.Unauthorized):
        signer.read(f"{header}.{payload}.{signature}")


@pytest.mark.parametrize("cut", [1, 5, 40, 200])
def test_truncated(signer, cut):
    """A truncated token is refused."""
    with pytest.raises(errors.Unauthorized):
        signer.read(signer.sign(claims())[:-cut])


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c", "é.ü.ñ", "\udcff", "x" * 5000, "null", "\x00"])
def test_not_a_token(signer, text):
    """Any other text is refused as a token, and is no error."""
    with pytest.raises(errors.Unauthorized):
        signer.read(text)


@pytest.mark.parametrize("payload", [{}, {"sub": 5}, {"sub": "ann", "exp": "soon"}, {"scope": "all"}])
def test_signed_but_not_claims(signer, payload):
    """A good signature under other data than claims is refused."""
    with pytest.raises(errors.Unauthorized):
        signer.read(jwt.encode(payload, KEY, "HS256"))


def test_key_is_for_the_owner_only(tmp_path):
    """Only its owner can read the key file, under any umask."""
    before = os.umask(0)
    try:
        tokens.make_key(tmp_path / "new" / "token.key")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "new" / "token.key").stat().st_mode) == 0o600


def test_key_is_made_once(tmp_path):
    """A second call gives the existing key, and leaves no other file."""
    path = tmp_path / "token.key"
    assert tokens.make_key(path) == tokens.make_key(path) == tokens.read_key(path)
    assert list(tmp_path.iterdir()) == [path]


def test_key_made_by_several_at_once(tmp_path):
    """Processes that bootstrap at the same moment use one key."""
    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(tokens.make_key, [tmp_path / "token.key"] * 8))
    assert len(keys) == 1


def test_no_key(tmp_path):
    """Without a key the service does not start, and the error says what to do."""
    with pytest.raises(errors.ConfigError, match="mininova-manage bootstrap"):
        tokens.read_key(tmp_path / "token.key")


def test_short_key(tmp_path):
    """A file that is too short is no key."""
    (tmp_path / "token.key").write_text("secret\n")
    with pytest.raises(errors.ConfigError, match="32 bytes"):
        tokens.read_key(tmp_path / "token.key")
