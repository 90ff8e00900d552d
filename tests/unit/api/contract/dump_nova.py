"""Write down what Nova itself says of its REST API: run by hand, with the Python of an environment that has nova.

    pip install nova && python dump_nova.py nova_contract.json

For each operation it takes, from the decorators of Nova's controllers, the JSON schemas of requests, queries and
responses, the status codes and the errors, each with its range of microversions.
"""

import json
import re
import sys
import tempfile
from typing import Any

Ranged = list[Any]

# Enough for Nova's API to load: nothing is sent, and no database is opened.
SETTINGS = """
[DEFAULT]
transport_url = fake:/
[database]
connection = sqlite://
[api_database]
connection = sqlite://
"""


def text(version: Any) -> str | None:
    """Write a microversion, which Nova has as a string, as an object or as nothing."""
    if version is None or isinstance(version, str):
        return version
    return None if version.is_null() else version.get_string()


def schemas(function: Any, kind: str) -> list[Ranged]:
    """Read the schemas of one kind that are attached to a controller's method."""
    attached = getattr(function, kind, None)
    return [[schema, text(low), text(high)] for schema, low, high in attached._schemas] if attached else []


def errors(function: Any) -> list[Ranged]:
    """Read the errors that a method expects out of the closures of its decorators."""
    found = []
    while function is not None:
        code = getattr(function, "__code__", None)
        if code is not None and "errors" in code.co_freevars:
            cells = dict(zip(code.co_freevars, (cell.cell_contents for cell in function.__closure__), strict=True))
            codes = cells["errors"] if isinstance(cells["errors"], (list, tuple, set)) else [cells["errors"]]
            found.append([sorted(codes), cells.get("min_version"), cells.get("max_version")])
        function = getattr(function, "__wrapped__", None)
    return found


def operation(function: Any) -> dict[str, Any]:
    """Describe one method of a controller."""
    codes = getattr(function, "wsgi_codes", None)
    return {
        "removed": bool(getattr(function, "removed", False)),
        "codes": [list(code) for code in codes._codes] if codes else [[200, None, None]],
        "errors": errors(function),
        "request": schemas(function, "request_body_schemas"),
        "query": schemas(function, "request_query_schemas"),
        "response": schemas(function, "response_body_schemas"),
    }


def operations() -> dict[str, Any]:
    """Describe every operation, under ``METHOD /path`` or ``METHOD /path {action}``."""
    from nova.api.openstack.compute import APIRouterV21

    found: dict[str, Any] = {}
    for route in APIRouterV21().map.matchlist:
        if "controller" not in route.defaults:
            continue
        parts = (f"{{{part['name']}}}" if isinstance(part, dict) else part for part in route.routelist)
        path = re.sub(r"^/\{project_id\}(?=/|$)", "", "".join(parts)) or "/"
        methods = (route.conditions or {}).get("method", "GET")
        method = methods[0] if isinstance(methods, list) else methods
        controller, name = route.defaults["controller"], route.defaults["action"]
        named = controller.wsgi_actions if path.endswith("/action") else {None: getattr(controller.controller, name)}
        for action, function in named.items():
            found.setdefault(f"{method} {path}" + (f" {{{action}}}" if action else ""), operation(function))
    return found


def main(path: str) -> None:
    """Write the whole contract."""
    import nova.conf
    from nova import objects, rpc

    with tempfile.NamedTemporaryFile("w", suffix=".conf") as settings:
        settings.write(SETTINGS)
        settings.flush()
        nova.conf.CONF([], project="nova", default_config_files=[settings.name])
    objects.register_all()
    rpc.init(nova.conf.CONF)
    from nova.api.openstack.api_version_request import _MAX_API_VERSION

    with open(path, "w") as out:
        json.dump({"max": _MAX_API_VERSION, "ops": operations()}, out)


if __name__ == "__main__":
    main(sys.argv[1])
