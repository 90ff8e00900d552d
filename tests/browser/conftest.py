"""The page of mininova-flow in Debian's Chromium: over what a cloud in memory has sent, live or from a store.

Events reach the site as they do from the broker, by Feed.take; so a test says when something happens.
"""

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser, Page
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
from mininova.wsgi import Reply, Request, Route
from tests.fixtures.chromium import chromium, pages
from tests.fixtures.cloud import Cloud

PICTURES = Path(__file__).parents[2] / "docs/images"
#: What axe-core finds that is serious: told here, since all that it looks at takes Playwright seconds to carry.
SERIOUS = """axe.run({resultTypes: ["violations"], preload: false}).then(found => found.violations
    .filter(one => ["serious", "critical"].includes(one.impact))
    .map(one => [one.id, one.nodes.slice(0, 5).map(node => node.target)]))"""
AXE = files("axe_core_python").joinpath("axe.min.js").read_text()

TOKEN = "abc.DEF-1"
HOSTILE = '<img src=x onerror="document.title=1">'  # the name of a server


@dataclass
class Recorded:
    """What a cloud in memory has sent.

    :ivar before: the events of its start, with the first heartbeats
    :ivar boot: those of a boot of web-1
    :ivar retry: those of one of web-2, whose first host fails
    :ivar strange: those of one whose name is markup
    :ivar refused: those of one that fits nowhere
    """

    before: Sequence[MessageEvent] = ()
    boot: Sequence[MessageEvent] = ()
    retry: Sequence[MessageEvent] = ()
    strange: Sequence[MessageEvent] = ()
    refused: Sequence[MessageEvent] = ()
    uuid: str = ""

    @property
    def requests(self) -> dict[str, str]:
        """Name the request of each."""
        stories = {"boot": self.boot, "retry": self.retry, "strange": self.strange, "refused": self.refused}
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
    cloud.boot(name="web-2")
    told.retry = since()
    (cloud.path / "behaviour.yaml").write_text("[]")
    cloud.boot(name=HOSTILE)
    told.strange = since()
    cloud.boot(name="giant", flavorRef="5", min_count=3, max_count=3)
    told.refused = since()
    cloud.db.close()
    return told


@pytest.fixture(scope="session")
def store(recorded: Recorded, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep all of it, as a collector does."""
    directory = tmp_path_factory.mktemp("flow")
    writer = Writer(directory, keep=100)
    for events in (recorded.before, recorded.boot, recorded.retry, recorded.strange, recorded.refused):
        writer.add({SERVICES: list(events)})
    writer.close()
    return directory


@dataclass
class Served:
    """A site that listens, and whose clock the test sets.

    :ivar url: of its page
    :ivar now: what its clock says
    :ivar asked: by the page, of what it may do: the path and the body of each
    """

    now: float
    world: World = field(default_factory=World)
    listeners: Listeners = field(default_factory=Listeners)
    url: str = ""
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.feed = Feed(self.world, self.listeners, lambda: self.now)

    def happen(self, events: Sequence[MessageEvent]) -> None:
        """Tell of events, and of what they change, as the process does that hears them from the broker.

        They begin now, whenever they were recorded, and the clock goes on with them.
        """
        later = self.now - min(event.at for event in events)
        told = [replace(event, at=event.at + later) for event in events]
        self.now = max(event.at for event in told)
        self.feed.take({SERVICES: told})
        self.feed.tell_changes()

    def pass_time(self, seconds: float) -> None:
        """Let nothing happen for a while."""
        self.now += seconds
        self.feed.tell_changes()


@pytest.fixture
def serve(store: Path, recorded: Recorded) -> Iterator[Callable[..., Served]]:
    """Serve the page: ``serve()`` live, ``serve(live=False)`` from the store.

    ``do`` says what follows when the page does something: path below ``/api/play/`` → what happens.
    """
    ends: list[Callable[[], None]] = []

    def start(*, live: bool = True, do: Mapping[str, Callable[[Served], object]] = {}) -> Served:
        served = Served(recorded.before[-1].at)
        if live:
            served.happen(recorded.before)
        else:
            replay(served.world, Reader(store))
        rows = served.feed.world if live else lambda: served.world.rows(served.world.last)
        play = [Route("POST", f"/api/play/{path}", played(served, what)) for path, what in do.items()]
        site = Site(Requests(store), rows, served.listeners if live else None, names=LOCAL, play=play)
        server = make_server("127.0.0.1", 0, site, threaded=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        served.url = f"http://127.0.0.1:{server.server_port}/"

        def end() -> None:
            served.listeners.close()
            server.shutdown()
            thread.join()
            server.server_close()

        ends.append(end)
        return served

    yield start
    for end in ends:
        end()


def played(served: Served, what: Callable[[Served], object]) -> Callable[..., Reply]:
    """Make the handler of what the page does; the cloud would want the token."""

    def handler(request: Request, **variables: str) -> Reply:
        assert request.headers["X-Flow-Token"] == TOKEN
        served.asked.append((request.path.removeprefix("/api/play/"), request.document))
        what(served)
        return Reply(202, {})

    return handler


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start Chromium."""
    with chromium() as started:
        yield started


@pytest.fixture
def new_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open pages that report no error, and ask no other host for anything."""
    with pages(browser) as opened:
        yield opened


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
        serious = page.evaluate(SERIOUS)
        assert serious == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    return check
