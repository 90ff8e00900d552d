"""Requests that schemathesis invents from the published description, such as it allows and such as it does not.

There are a few for each operation, the same each time.  For a longer search, of other requests each time, run
``pytest tests/attack/rest/test_fuzz.py --hypothesis-profile=long-search``.
"""

import json
from typing import Any
from urllib.parse import urlencode

import jsonschema
import pytest
import schemathesis
from hypothesis import given, settings
from hypothesis import strategies as some
from schemathesis import Case, GenerationMode
from schemathesis.core import NotSet

from mininova.api import openapi
from tests.fixtures.rest_attacker import COMPUTE, Answer, Attacker

HOW = settings.get_profile("long-search" if settings.get_current_profile_name() == "long-search" else "search")

DOCUMENT = openapi.document()
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS = [(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods]
COMPONENTS = {"components": DOCUMENT["components"]}


#: By collection, the variables of its paths: those for the id of what is there, and others with what they are there.
VARIABLES: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "servers": (("id", "server_id"), {"tag": "t", "key": "k", "network": "flat"}),
    "flavors": (("id", "flavor_id"), {"key": "hw:cpu_policy"}),
    "os-services": (("id",), {}),
    "os-hypervisors": (("id",), {}),
    "os-keypairs": ((), {"name": "n"}),
    "extensions": ((), {"alias": "os-services"}),
}


def known(attacker: Attacker, collection: str) -> dict[str, str]:
    """Give what is there of a collection, by the variable of a path: half of the requests are about it."""
    ids, others = VARIABLES.get(collection, ((), {}))
    return {**(dict.fromkeys(ids, first(attacker, collection)) if ids else {}), **others}


def first(attacker: Attacker, collection: str) -> str:
    """Give the id of one thing that is there; a server that an earlier request removed has a successor."""
    if collection != "servers":
        things = attacker("GET", f"{COMPUTE}/{collection}", user="admin").json[collection.removeprefix("os-")]
        return things[0]["id"] if things else "none"
    if attacker("GET", f"{COMPUTE}/servers/{attacker.server}", user="admin").status == 404:
        attacker.server = attacker.cloud.boot(name="next", metadata={"k": "v"}, tags=["t"])
        attacker.cloud.run()
    return attacker.server


def send(attacker: Attacker, case: Case, about: dict[str, str], user: str) -> Answer:
    """Send an invented request, in whichever form it came."""
    said = case.body
    if about and case.path == "/servers" and isinstance(said, dict) and isinstance(said.get("server"), dict):
        said["server"] |= {"flavorRef": first(attacker, "flavors"), "imageRef": attacker.cloud.image}
    body = said if isinstance(said, bytes) else json.dumps(said, default=lambda _: None).encode()
    headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in case.headers.items()}
    headers.pop("HTTP_X_AUTH_TOKEN", None)  # tokens are invented elsewhere
    return attacker(
        case.method,
        COMPUTE + case.path.format(**{**(case.path_parameters or {}), **about}),  # these are quoted already
        None if isinstance(said, NotSet) else body,
        user=user,
        query=urlencode(case.query or {}, doseq=True, errors="replace"),
        environ={name: str(value).encode(errors="replace").decode("latin-1") for name, value in headers.items()},
    )


def require_as_described(answer: Answer, described: dict[str, Any], is_action: bool) -> None:
    """Fail the test if an answer is none of those that the description has; an accepted action need not say more."""
    assert str(answer.status) in described, f"{answer.status} is not described: {answer.text}"
    it = described[str(answer.status)]
    content = DOCUMENT["components"]["responses"][str(answer.status)] if "$ref" in it else it
    if "content" not in content or (is_action and answer.status == 202 and not answer.text):
        assert answer.text == ""
        return
    assert answer.headers["Content-Type"] == "application/json"
    jsonschema.validate(answer.json, {**content["content"]["application/json"]["schema"], **COMPONENTS})


@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=lambda part: part)
def test_no_invented_request_is_a_fault(rest_attacker: Attacker, path: str, method: str) -> None:
    """No answer to an invented request is a fault of the service's, or takes long, or is not as described."""
    operation = SCHEMA[path][method]
    invented = some.one_of(*(operation.as_strategy(generation_mode=mode) for mode in GenerationMode))

    @HOW
    @given(case=invented, real=some.booleans(), user=some.sampled_from(["admin", "demo"]))
    def search(case: Case, real: bool, user: str) -> None:
        about = known(rest_attacker, path.split("/")[1]) if real else {}
        answer = send(rest_attacker, case, about, user)
        if case.method.lower() == method:  # not so where another method was invented
            described = DOCUMENT["paths"][path][method]["responses"]
            require_as_described(answer, described, path.endswith("/action"))
        rest_attacker.cloud.run()

    search()
