"""The page of mininova-flow in Debian's Chromium: over what a cloud in memory has sent, live or from a store.

Events reach the site as they do from the broker, by Feed.take; so a test says when something happens.
"""

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

from mininova.flow.reports import SERVICES
from mininova.flow.store import Reader, Writer
from mininova.flow.world import World
from mininova.flow.world.past import replay
from mininova.rpc.watch.flow import MessageEvent
from mininova.web.app import LOCAL, Site
from mininova.web.feed import Feed
from mininova.web.requests import Requests
from mininova.web.stream import Listeners
from mininova.wsgi import Route
from tests.fixtures.cloud import Cloud

DEADLINE_MS = 60_000  # of everything that the page is to show
PICTURES = Path(__file__).parents[2] / "docs/images"
AXE = files("axe_core_python").joinpath("axe.min.js").read_text()

HOSTILE = '<img src=x onerror="document.title=1">'  # the name of a server


@dataclass
class Recorded:
    """What a cloud in memory has sent.

    :ivar before: the events of its start, with the first heartbeats
    :ivar boot: those of a boot of web-1
    :ivar retry: those of one whose first host fails
    :ivar refused: those of one that fits nowhere
    """

    before: Sequence[MessageEvent] = ()
    boot: Sequence[MessageEvent] = ()
    retry: Sequence[MessageEvent] = ()
    refused: Sequence[MessageEvent] = ()
    uuid: str = ""

    @property
    def requests(self) -> dict[str, str]:
        """Name the request of each."""
        stories = {"boot": self.boot, "retry": self.retry, "refused": self.refused}
        return {name: next(e.request_id or "" for e in events if e.kind == "http") for name, events in stories.items()}


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Let a cloud of two hosts, and of one that is disabled, do what the tests look at."""
    cloud = Cloud(tmp_path_factory.mktemp("cloud"), hosts=("host-1", "host-2", "host-3"))
    cloud.login()
    cloud.login("admin", "admin")
    disabled = {"host": "host-3", "binary": "nova-compute"}
    cloud.request("PUT", "/os-services/disable", disabled, user="admin", version="2.1")
    told = Recorded()

    def since() -> Sequence[MessageEvent]:
        cloud.run()
        events = tuple(cloud.events)
        cloud.events.clear()
        return events

    told.before = since()
    told.uuid = cloud.boot(name="web-1")
    told.boot = since()
    emptier = {"host-1": "host-2", "host-2": "host-1"}[cloud.instance(told.uuid).host or ""]
    fails = {"hosts": emptier, "operation": "spawn", "failure": {"message": "the disk is full"}}
    (cloud.path / "behaviour.yaml").write_text(json.dumps([fails]))
    cloud.boot(name=HOSTILE)
    told.retry = since()
    cloud.boot(name="giant", flavorRef="5", min_count=3, max_count=3)
    told.refused = since()
    cloud.db.close()
    return told


@pytest.fixture(scope="session")
def store(recorded: Recorded, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep all of it, as a collector does."""
    directory = tmp_path_factory.mktemp("flow")
    writer = Writer(directory, keep=100)
    for events in (recorded.before, recorded.boot, recorded.retry, recorded.refused):
        writer.add({SERVICES: list(events)})
    writer.close()
    return directory


@dataclass
class Served:
    """A site that listens.

    :ivar url: of its page
    """

    url: str
    feed: Feed
    listeners: Listeners
    asked: list[Any] = field(default_factory=list)

    def happen(self, events: Sequence[MessageEvent]) -> None:
        """Tell of events, and of what they change, as the process does that hears them from the broker."""
        self.feed.take({SERVICES: list(events)})
        self.feed.tell_changes()


@pytest.fixture
def serve(store: Path, recorded: Recorded) -> Iterator[Callable[..., Served]]:
    """Serve the page: ``serve()`` live, ``serve(live=False)`` from the store."""
    ends: list[Callable[[], None]] = []

    def start(*, live: bool = True, play: Callable[[Served], Sequence[Route]] = lambda served: ()) -> Served:
        world, listeners = World(late_after=1e9, down_after=1e9), Listeners()
        feed = Feed(world, listeners)
        served = Served("", feed, listeners)
        if live:
            served.happen(recorded.before)
        else:
            replay(world, Reader(store))
        rows = feed.world if live else lambda: world.rows(world.last)
        site = Site(Requests(store), rows, listeners if live else None, names=LOCAL, play=play(served))
        server = make_server("127.0.0.1", 0, site, threaded=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        served.url = f"http://127.0.0.1:{server.server_port}/"

        def end() -> None:
            listeners.close()
            server.shutdown()
            thread.join()
            server.server_close()

        ends.append(end)
        return served

    yield start
    for end in ends:
        end()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start Chromium; without one the test is skipped, but in CI it fails."""
    program = shutil.which("chromium")
    if program is None:
        absent = "Chromium is not installed: tools/install-chromium.sh"
        pytest.fail(absent) if os.environ.get("CI") else pytest.skip(absent)
    with sync_playwright() as playwright:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        started = playwright.chromium.launch(executable_path=program, args=sandbox)
        yield started
        started.close()


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open pages that report no error, and ask no other host for anything."""
    complaints: list[str] = []
    contexts = []

    def opened(url: str, *, width: int = 1360, height: int = 860, **how: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, locale="en", **how)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(DEADLINE_MS)
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("console", lambda said: said.type in ("error", "warning") and complaints.append(said.text))
        page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
        page.on("request", lambda asked: url.split("#")[0] in asked.url or complaints.append(f"asked {asked.url}"))
        page.goto(url)
        page.wait_for_selector("main h1")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def keep_picture(request: pytest.FixtureRequest) -> Callable[[Page, str], None]:
    """Give what keeps a picture in docs/images, if the tests run with ``--rewrite``."""

    def keep(page: Page, name: str) -> None:
        if request.config.getoption("--rewrite"):
            PICTURES.mkdir(exist_ok=True)
            page.screenshot(path=PICTURES / f"flow-{name}.png")

    return keep


@pytest.fixture
def assert_accessible() -> Callable[[Page], None]:
    """Give what refuses a page in which axe-core finds something serious, or which is wider than its window."""

    def check(page: Page) -> None:
        page.evaluate(AXE)
        found = page.evaluate("axe.run().then(found => found.violations)")
        serious = [
            (one["id"], [node["target"] for node in one["nodes"]][:5])
            for one in found
            if one["impact"] in ("serious", "critical")
        ]
        assert serious == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    return check
