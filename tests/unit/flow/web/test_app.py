"""What mininova-flow serve answers, and what it lets a browser do with it."""

import pytest

from mininova import __version__

REQUEST = "req-11111111-2222-3333-4444-555555555555"
UUID = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"


def test_it_says_what_it_can_do(asked):
    """The page learns that this is a record, and that it may do nothing here."""
    assert asked.json("/api") == {"version": __version__, "live": False, "play": False, "recorded": True}


def test_the_newest_request_is_first(asked):
    """The list has what ``mininova-flow list -f json`` has, the newest first."""
    listed = asked.json("/api/requests")["requests"]
    assert [one["servers"] for one in listed[:2]] == [{_uuid(2): "vm-2"}, {_uuid(1): "vm-1"}]


def _uuid(number: int) -> str:
    return f"{number:08}-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("words", "found"),
    [("web-1", 1), (UUID, 1), (REQUEST, 1), ("vm-", 3), ("post+servers", 4), ("vm-2+post", 1), ("x", 0)],
)
def test_search(asked, words: str, found: int):
    """A request is found by its id, the name or uuid of a server, and words of its HTTP line: all that are given."""
    assert len(asked.json(f"/api/requests?search={words}")["requests"]) == found


def test_a_request_is_lanes_and_messages(asked):
    """A request has its parties from left to right, and its messages as they were sent."""
    shown = asked.json(f"/api/requests/{REQUEST}")
    kinds = ["client", "api", "conductor", "scheduler", "compute", "notifications"]
    assert [lane["kind"] for lane in shown["lanes"]] == kinds
    first, second = shown["messages"][:2]
    assert (first["kind"], first["method"], first["change"]) == ("http", "POST /v2.1/servers", "202")
    assert (second["from"], second["to"], second["method"]) == ("api.ctl-1", "conductor.ctl-1", "build_instances")
    steps = [(one["before"], one["after"]) for one in shown["messages"] if one["method"] == "update_instance"]
    assert ("spawning", "active") in steps


@pytest.mark.parametrize(
    "path", ["/api/requests/req-0", "/api/nothing", "/page/../app.py", "/page/%2e%2e/app.py", "/page/x"]
)
def test_what_is_not_there_is_404(asked, path: str):
    """There is nothing but the rows of the table and the files of the page."""
    assert asked.json(path, 404)["error"]["code"] == 404


@pytest.mark.parametrize("query", ["limit=x", "limit=0", "all=yes"])
def test_a_bad_parameter_is_named(asked, query: str):
    """A parameter that cannot be used is named."""
    assert query.partition("=")[0] in asked.json(f"/api/requests?{query}", 400)["error"]["message"]


@pytest.mark.parametrize("path", ["/", "/api", "/api/requests/x"])
def test_a_page_may_use_this_server_only(asked, path: str):
    """Every answer forbids scripts, pictures and questions that are another server's."""
    policy = asked.get(path).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "http" not in policy


def test_another_name_is_refused(asked):
    """A site whose name leads to this address gets nothing for its pages."""
    asked.headers["Host"] = "evil.example:8780"
    assert asked.json("/api/requests", 421)["error"]["code"] == 421


def test_the_world_of_a_record(asked):
    """A record shows the world as its last message left it, with what was up then."""
    world = asked.json("/api/world")
    assert {row["state"] for row in world["services"]} == {"up"}
    assert "web-1" in {row["name"] for row in world["instances"]}
    assert asked.json("/api/live", 404)


def test_a_life(asked):
    """An instance's states follow each other, with the request that caused them."""
    life = asked.json(f"/api/instances/{UUID}")
    assert (life["name"], [one["request_id"] for one in life["requests"]]) == ("web-1", [REQUEST])
    assert life["steps"][-2]["vm_state"] == "active"
    assert asked.json(f"/api/instances/{UUID[::-1]}", 404)


@pytest.mark.parametrize(
    ("ending", "content_type", "begins"),
    [("svg", "image/svg+xml", "<"), ("mmd", "text/plain", "sequenceDiagram"), ("json", "application/json", "{")],
)
def test_a_request_as_a_file(asked, ending: str, content_type: str, begins: str):
    """A request is exported under its own name, and no browser opens it as a page of this server."""
    response = asked.get(f"/api/requests/{REQUEST}.{ending}")
    assert (response.status_int, response.content_type) == (200, content_type)
    assert response.headers["Content-Disposition"] == f'attachment; filename="{REQUEST}.{ending}"'
    assert begins in response.text[:200]


def test_the_page_and_its_files(asked):
    """The page is served, and every file of it with its own type."""
    page = asked.get("/")
    assert (page.status_int, page.content_type) == (200, "text/html")
    assert asked.get("/page/main.js").content_type == "text/javascript"
    assert asked.json("/api/tours")["tours"]
