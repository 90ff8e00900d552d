"""A request as a sequence diagram: as text, as SVG, as what Mermaid draws."""

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from msgspec.structs import replace
from rich.console import Console

from mininova.flow import drawing, export, summary
from mininova.flow.diagram import lanes, parties, troubles
from mininova.flow.message import Line, messages
from mininova.rpc.watch.flow import MessageEvent

DIAGRAMS = Path(__file__).parent / "diagrams"
API, CONDUCTOR, COMPUTE = "api.ctl-1", "conductor.ctl-1", "compute.host-1"
SVG = "{http://www.w3.org/2000/svg}"


def text(events: list[MessageEvent], width: int = drawing.PAGE) -> str:
    """Draw a request as text."""
    return "".join(f"{row.plain}\n" for row in drawing.rows(Console(), messages(events), width))


def svg(events: list[MessageEvent]) -> str:
    """Draw a request as SVG."""
    return export.svg(summary.of(events[0].request_id or "", events), messages(events))


def mermaid(events: list[MessageEvent]) -> str:
    """Write a request for Mermaid."""
    return export.mermaid(summary.of(events[0].request_id or "", events), messages(events))


@pytest.fixture
def trouble(new_story) -> list[MessageEvent]:
    """Make a cast that is delivered twice, tried again and parked, and another one that is denied, a minute later."""
    story = new_story()
    story.cast(API, CONDUCTOR, "build_instances")
    first = story.events[0]
    about = {"message_id": first.message_id, "method": first.method, "receiver": CONDUCTOR, "routing_key": "conductor"}
    for kind, error in [("redelivered", None), ("retried", "OSError: no"), ("parked", "OSError: no")]:
        story.tell(kind, error=error, **about)
    story.now += 60.0
    story.cast(COMPUTE, CONDUCTOR, "update_instance")
    denied = {"message_id": story.events[-1].message_id, "method": "update_instance", "receiver": CONDUCTOR}
    story.tell("denied", error="Forbidden: not yours", **denied)
    return story.events


@pytest.mark.parametrize("name", ["boot", "failed_build", "trouble"])
@pytest.mark.parametrize(("form", "draw"), [("txt", text), ("svg", svg), ("mmd", mermaid)])
def test_drawn(name: str, form: str, draw: Callable[..., str], request: pytest.FixtureRequest):
    """A request is drawn as it is in ``diagrams``; look at what changed there, and write it anew with --rewrite."""
    drawn = draw(request.getfixturevalue(name))
    golden = DIAGRAMS / f"{name}.{form}"
    if request.config.getoption("--rewrite"):
        golden.write_text(drawn)
    assert drawn == golden.read_text()


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("boot", ["client", "api", "conductor", "scheduler", "compute", "notifications"]),
        ("trouble", ["api", "conductor", "compute", "other"]),
    ],
)
def test_lanes(name: str, kinds: list[str], request: pytest.FixtureRequest):
    """Lanes stand in the order of the services, and a queue of the dead is no service."""
    assert [lane.kind for lane in lanes(messages(request.getfixturevalue(name)))] == kinds


def test_troubles(trouble, failed_build):
    """What went wrong is counted."""
    assert troubles(messages(failed_build)) == ["1 tried elsewhere"]
    assert troubles(messages(trouble)) == ["1 redelivered", "1 retried", "1 denied", "1 given up"]


@pytest.mark.parametrize("width", [20, 80, 100, 160])
def test_a_row_fits_the_page(boot, width: int):
    """A page of eighty cells is enough for a boot; on a narrower one a row takes what it needs."""
    *rows, _ = text(boot, width).splitlines()
    assert max(map(len, rows)) <= max(width, 80)


def test_many_hosts_share_a_lane(new_story):
    """A request that goes to a hundred hosts has few lanes, and each message is there."""
    story = new_story()
    for number in range(100):
        story.cast(CONDUCTOR, f"compute.host-{number}", f"build_{number}_instance")
    drawn = text(story.events)
    assert "96 more" in drawn
    assert all(f"build_{number}_instance" in drawn for number in range(100))
    assert max(map(len, drawn.splitlines())) <= drawing.PAGE


@pytest.fixture
def hostile(boot) -> list[MessageEvent]:
    """Make a boot whose names would write on a terminal, or leave the text of an XML or a Mermaid file."""
    name = "\x1b[2J\x00\ud800\u202e</text><script>alert(1)</script>\nend; note over p0: %%{init}#35;"
    return [
        replace(event, method=name, version=name[:9], error=name, **({"receiver": name} if event.receiver else {}))
        for event in boot
    ]


def test_a_hostile_name_in_text(hostile):
    """Control characters are escaped in each row."""
    assert all(row.isprintable() for row in text(hostile).splitlines())


def test_a_hostile_name_in_svg(hostile):
    """An SVG is well-formed, has no element that a name brought, and refers to nothing."""
    root = ElementTree.fromstring(svg(hostile))
    known = {"svg", "title", "style", "rect", "line", "path", "text", "tspan", "g"}
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= known
    assert not {name for element in root.iter() for name in element.attrib} & {"href", "style", "onload", "src"}
    assert any("<script>" in (element.text or "") for element in root.iter(f"{SVG}text"))


def test_a_hostile_name_in_mermaid(hostile):
    """A name stays in its line, and none of its characters is markup."""
    first, title, *lines = mermaid(hostile).splitlines()
    assert first == "sequenceDiagram"
    assert len(lines) == len(messages(hostile)) + len(parties(messages(hostile)))
    assert not set("".join([title, *lines])) & set("<>%{}`\"'[]\\") - {">"}


def test_no_messages():
    """A request of which nothing is known is drawn, too."""
    nothing: list[Line] = []
    empty = summary.Summary(request_id="req-1", began=0.0, last=0.0)
    assert export.mermaid(empty, nothing).startswith("sequenceDiagram")
    assert ElementTree.fromstring(export.svg(empty, nothing)).tag == f"{SVG}svg"
    assert list(drawing.rows(Console(), nothing))
