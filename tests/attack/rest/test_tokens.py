"""Tokens that do not hold: each is answered as no token at all is, with the same words."""

import base64
import json
import time

import jwt
import pytest

from mininova.standins.keystone import tokens
from tests.fixtures.rest_attacker import COMPUTE, IDENTITY, IMAGE, Attacker
from tests.fixtures.rest_routes import pairs

REALMS = (f"{COMPUTE}/servers", f"{IMAGE}/images", f"{IDENTITY}/auth/projects")


@pytest.fixture(scope="module")
def key(rest_attacker: Attacker) -> bytes:
    """Give the key that signs, which no attacker has."""
    return tokens.read_key(rest_attacker.cloud.settings("api", "ctl").identity.token_key_file)


@pytest.fixture(scope="module")
def claims(rest_attacker: Attacker, key: bytes) -> dict:
    """Give what a good token says."""
    return jwt.decode(rest_attacker.cloud.login(), key, ["HS256"])


def segment(said: bytes) -> str:
    return base64.urlsafe_b64encode(said).rstrip(b"=").decode()


def require_refused(attacker: Attacker, token: str) -> None:
    for path in REALMS:
        refused, without = attacker("GET", path, token=token), attacker("GET", path, user=None)
        assert (refused.status, refused.text) == (401, without.text)
        assert refused.headers["WWW-Authenticate"].startswith("Keystone uri=")


@pytest.mark.parametrize(
    "change",
    [
        {"exp": 1},
        pytest.param({"exp": int(time.time()) - 1}, id="expired a second ago"),
        {"exp": "soon"},
        {"exp": None},
        {"exp": 1e300},
        {"nbf": 2**40},
        {"sub": "nobody"},
        {"sub": 5},
        {"gen": 99},
        {"roles": ["no-such-role"]},
        {"scope": {"kind": "project", "id": "no-such-project"}},
        {"scope": {"kind": "system", "id": "all"}},
        {"scope": "all"},
        {"jti": None},
    ],
    ids=str,
)
def test_a_token_that_says_what_is_not_true_is_refused(
    rest_attacker: Attacker, key: bytes, claims: dict, change: dict
) -> None:
    """Even with the key, a token holds only as long as all that it says is so."""
    require_refused(rest_attacker, jwt.encode({**claims, **change}, key, "HS256"))


@pytest.mark.parametrize("other", [b"", b"x" * 32, b"secret"])
def test_another_key_signs_nothing(rest_attacker: Attacker, claims: dict, other: bytes) -> None:
    """A token with another signature than ours is none."""
    head, body = segment(b'{"alg":"HS256","typ":"JWT"}'), segment(json.dumps(claims).encode())
    algorithm = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    require_refused(rest_attacker, f"{head}.{body}.{segment(algorithm.sign(f'{head}.{body}'.encode(), other))}")


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", None, "HS384", "RS256", "", [], {}, 5])
@pytest.mark.parametrize("signed", [True, False])
def test_the_algorithm_is_not_the_senders_to_choose(
    rest_attacker: Attacker, key: bytes, claims: dict, algorithm: object, signed: bool
) -> None:
    """A head that names no algorithm, or another one, makes no token with any signature."""
    head, body = segment(json.dumps({"alg": algorithm, "typ": "JWT"}).encode()), segment(json.dumps(claims).encode())
    good = jwt.encode(claims, key, "HS256").rpartition(".")[2]
    require_refused(rest_attacker, f"{head}.{body}.{good if signed else ''}")


@pytest.mark.parametrize("change", [{"sub": "admin"}, {"roles": ["admin"]}, {"exp": 2**33}, {}], ids=str)
def test_a_changed_payload_has_no_signature(rest_attacker: Attacker, claims: dict, change: dict) -> None:
    """What is said otherwise after the signing is not signed; nor is the same, written with other spaces."""
    head, _, signature = rest_attacker.cloud.login().split(".")
    require_refused(rest_attacker, f"{head}.{segment(json.dumps({**claims, **change}, indent=1).encode())}.{signature}")


@pytest.mark.parametrize("kept", [0, 1, 20, 40, -1, -2, -20, -43, -44])
def test_a_truncated_token_is_none(rest_attacker: Attacker, kept: int) -> None:
    """A piece of a token is no token."""
    require_refused(rest_attacker, rest_attacker.cloud.login()[:kept])


@pytest.mark.parametrize(
    "token",
    [
        ".", "..", "...", "....", "a.b.c", "=.=.=", " ", "null", "\x00", "\xe9.\xe9.\xe9", "a" * 8000, "." * 8000,
        "Bearer x", "' OR '1'='1", "{{7*7}}", "../../../etc/passwd",
    ],
    ids=repr,
)  # fmt: skip
def test_rubbish_is_no_token(rest_attacker: Attacker, token: str) -> None:
    """Anything may be sent as a token."""
    require_refused(rest_attacker, token)


HEADS = (
    b"[" * 4000, b'{"a":' * 1000, b"1" * 4400, b"null", b"\xff", b'{"alg":"HS256","b64":false,"crit":["b64"]}', b"{}",
)  # fmt: skip


@pytest.mark.parametrize(
    ("head", "body"),
    pairs(HEADS, (b"{}", b"[" * 1500, b'{"exp":1e999}', b"\xff", b"null")),
    ids=lambda part: repr(part[:20]),
)
def test_rubbish_within_a_token_is_none(rest_attacker: Attacker, head: bytes, body: bytes) -> None:
    """Nor does it help to nest it deeply, or to write its numbers long."""
    require_refused(rest_attacker, f"{segment(head)}.{segment(body)}.{segment(b'x' * 32)}")


def test_a_revoked_token_is_none(rest_attacker: Attacker) -> None:
    """What was given back is over."""
    said = {"identity": {"methods": ["token"], "token": {"id": rest_attacker.cloud.login()}}}
    made = rest_attacker("POST", f"{IDENTITY}/auth/tokens", {"auth": said}, user=None)
    token = made.headers["X-Subject-Token"]
    assert rest_attacker("GET", REALMS[2], token=token).status == 200
    rest_attacker("DELETE", f"{IDENTITY}/auth/tokens", token=token, environ={"HTTP_X_SUBJECT_TOKEN": token})
    require_refused(rest_attacker, token)


def test_no_client_says_itself_who_it_is(rest_attacker: Attacker) -> None:
    """The headers in which the check of tokens tells the services who asks are no client's to send."""
    said = {
        "HTTP_X_IDENTITY_STATUS": "Confirmed", "HTTP_X_USER_ID": "admin", "HTTP_X_ROLES": "admin",
        "HTTP_X_PROJECT_ID": "p", "HTTP_X_IS_ADMIN_PROJECT": "True", "HTTP_OPENSTACK_SYSTEM_SCOPE": "all",
        "HTTP_X_SERVICE_IDENTITY_STATUS": "Confirmed", "HTTP_X_SERVICE_ROLES": "admin,service",
    }  # fmt: skip
    for path in REALMS:
        assert rest_attacker("GET", path, user=None, environ=said).status == 401
    assert rest_attacker("GET", f"{COMPUTE}/os-services", environ=said).status == 403
    assert rest_attacker("GET", f"{COMPUTE}/servers", query="all_tenants=1", environ=said).status == 403


def test_who_exists_is_not_told(rest_attacker: Attacker) -> None:
    """A wrong password and a user who is not there are answered alike."""

    def login(name: str) -> tuple[int, str]:
        user = {"name": name, "domain": {"id": "default"}, "password": "wrong"}
        said = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}}}
        answer = rest_attacker("POST", f"{IDENTITY}/auth/tokens", said, user=None)
        return answer.status, answer.text

    assert login("demo") == login("nobody") == (401, login("admin")[1])
