"""A Host that a client invents leads no other client to it: no answer repeats it."""

import pytest

from tests.fixtures.rest_attacker import COMPUTE, IDENTITY, IMAGE, Answer, Attacker
from tests.fixtures.rest_routes import TARGETS, Target

EVIL = "evil.example"
SAID = {
    "HTTP_HOST": f"{EVIL}:666",
    "HTTP_FORWARDED": f"host={EVIL};proto=https",
    "HTTP_X_FORWARDED_HOST": EVIL,
    "HTTP_X_FORWARDED_SERVER": EVIL,
    "HTTP_X_FORWARDED_PREFIX": f"/{EVIL}",
    "HTTP_X_HOST": EVIL,
    "HTTP_X_ORIGINAL_URL": f"http://{EVIL}/",
    "HTTP_ORIGIN": f"http://{EVIL}",
    "HTTP_REFERER": f"http://{EVIL}/",
}
READS = [target for target in TARGETS if target.method == "GET"]


def require_silence(answer: Answer) -> None:
    assert EVIL not in answer.text
    assert EVIL not in "".join(f"{name}: {value}\n" for name, value in answer.headers.items())


@pytest.mark.parametrize("target", READS, ids=str)
def test_no_answer_repeats_an_invented_host(rest_attacker: Attacker, target: Target) -> None:
    """Links, pages and refusals begin with an address of ours, with a token and without one."""
    for user in ("admin", None):
        require_silence(rest_attacker("GET", target.of(rest_attacker), user=user, query="limit=1", environ=SAID))


@pytest.mark.parametrize("path", ["/", "/compute/", "/compute/v2.1", "/identity/", "/image/", "/image/versions", "/no",
                                  "/healthcheck", f"{COMPUTE}/no", f"{IDENTITY}/no", f"{IMAGE}/no"])  # fmt: skip
def test_no_document_of_versions_repeats_it(rest_attacker: Attacker, path: str) -> None:
    """What a client reads before it logs in says where to log in, and nothing of what another client said."""
    require_silence(rest_attacker("GET", path, user=None, environ=SAID))


def test_nothing_new_is_at_an_invented_host(rest_attacker: Attacker) -> None:
    """The catalog of a new token, and the Location of what was made, begin with an address of ours."""
    domain = {"name": "Default"}
    user = {"name": "demo", "domain": domain, "password": "pw"}
    scope = {"project": {"name": "demo", "domain": domain}}
    auth = {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}
    server = {"name": "x", "imageRef": rest_attacker.cloud.image, "flavorRef": "1", "networks": "auto"}
    for path, body, status in (
        (f"{IDENTITY}/auth/tokens", {"auth": auth}, 201),
        (f"{COMPUTE}/servers", {"server": server}, 202),
        (f"{IMAGE}/images", {"name": "x"}, 201),
        (f"{IMAGE}/images", {"name": "y", "links": 1}, 400),
    ):
        answer = rest_attacker("POST", path, body, environ=SAID)
        assert answer.status == status
        assert "http://cloud" in answer.text + str(answer.headers) or status == 400
        require_silence(answer)
