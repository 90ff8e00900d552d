"""What mininova-flow watch draws: the map, and the last messages below it."""

from typing import Any

import pytest
from msgspec.structs import replace

from mininova.flow import overview
from mininova.flow.message import messages
from mininova.flow.overview import Overview, draw
from mininova.flow.reports import SERVICES
from mininova.flow.world import World

API = "api.ctl-1"


def service(name: str, state: str = "up", in_flight: int = 0) -> dict[str, Any]:
    """Make a service's row of the world."""
    kind, host = name.split(".")
    return {
        "name": name,
        "binary": f"nova-{kind}",
        "host": host,
        "state": state,
        "version": "1.1",
        "in_flight": in_flight,
    }


def instance(host: str | None, vm_state: str = "active", task_state: str | None = None) -> dict[str, Any]:
    """Make an instance's row of the world."""
    return {"uuid": "u", "name": "web", "host": host, "vm_state": vm_state, "task_state": task_state}


def world(*services: dict[str, Any], instances=(), queues=()) -> dict[str, Any]:
    """Make a world with an api and these."""
    return {"services": [service(API), *services], "instances": list(instances), "queues": list(queues)}


def drawn(of: dict[str, Any], said=(), width: int = 100, height: int = 30) -> list[str]:
    """Draw, and give the rows without their colours."""
    return draw(of, said, width, height).plain.split("\n")


def row_with(word: str, rows: list[str]) -> str:
    """Give the one row that has a word."""
    (found,) = [row for row in rows if word in row]
    return found


def test_a_host_has_its_instances():
    """Each instance is a block in its host, and its sign says its state."""
    instances = [instance("host-1"), instance("host-1", "error"), instance("host-1", "building", "spawning")]
    rows = drawn(world(service("compute.host-1", in_flight=2), instances=instances))
    assert row_with("host-1", rows).split() == ["●", "host-1", "⇄2", "■✗◆"]


def test_services_and_queues():
    """Each service has a sign for its state, the title counts hosts, and queues in which messages wait are named."""
    queues = [{"name": "conductor", "depth": 7}, {"name": "scheduler", "depth": 0}]
    rows = drawn(world(service("compute.host-1", "down"), service("compute.host-2"), queues=queues))
    assert "2 hosts, 1 down" in rows[0]
    assert row_with("api", rows).split() == ["api", "●", "ctl-1", "1.1"]
    assert row_with("queues", rows).split() == ["queues", "conductor", "7"]
    assert row_with("host-1", rows).strip().startswith("▼ host-1")


def test_on_no_host():
    """An instance that has no host is shown, too."""
    assert row_with("on no host", drawn(world(instances=[instance(None, "error")]))).split()[-1] == "✗"


def test_another_version():
    """The version of a host is said if the most have another one."""
    old = {**service("compute.host-2"), "version": "1.0"}
    rows = drawn(world(service("compute.host-1"), old, service("compute.host-3")))
    assert [word for word in " ".join(rows).split() if word.startswith("1.")] == ["1.1", "1.0"]


def test_a_thousand_hosts():
    """A thousand hosts have a sign each, and there is room for messages."""
    hosts = [service(f"compute.host-{number}", "down" if number == 7 else "up") for number in range(1000)]
    rows = drawn(world(*hosts, instances=[instance("host-3", "error")]))
    field = "".join(row.strip() for row in rows if set(row.strip()) <= set("·▼✗") and row.strip())
    assert (len(field), field[3], field[7], field.count("·")) == (1000, "✗", "▼", 998)


@pytest.mark.parametrize(("width", "height"), [(100, 30), (40, 12), (20, 5), (1, 1), (200, 80)])
@pytest.mark.parametrize("hosts", [0, 3, 100, 3_000])
def test_it_fits(boot, hosts: int, width: int, height: int):
    """What is drawn is as large as the terminal, and no larger."""
    of = world(*(service(f"compute.host-{number}") for number in range(hosts)), instances=[instance("host-1")] * 500)
    rows = drawn(of, messages(boot) * 10, width, height)
    assert len(rows) <= height
    assert max(map(len, rows)) <= width


def test_messages(boot):
    """The last messages stand below, with the arrows of a diagram."""
    said = messages(boot)
    call, news = (next(line for line in said if line.kind == kind) for kind in ("call", "notification"))
    rows = drawn(world(), [call, news], width=140)
    assert row_with("select_destinations", rows).split()[1:5] == [
        "conductor.ctl-1", "─▶", "scheduler.ctl-1", "select_destinations",
    ]  # fmt: skip
    assert row_with("compute.instance.create.start", rows).split()[2] == "◇"


def test_a_hostile_name(boot):
    """Control characters in any name are escaped."""
    bad = "\x1b[2J"
    said = messages([replace(event, method=bad, sender=bad, error=bad) for event in boot])
    odd = {**service("compute.host-1"), "host": bad, "version": bad}
    rows = drawn(world(odd, service("compute.h2"), instances=[instance(bad)], queues=[{"name": bad, "depth": 1}]), said)
    assert all(row.isprintable() for row in rows)


def test_an_overview_follows(boot):
    """What is reported is drawn: the instance, and the messages."""
    seen = Overview(World(), now=lambda: boot[-1].at)
    seen.take({SERVICES: boot})
    rows = seen.drawn(100, 60).plain.split("\n")
    assert row_with("■", rows[1:-1]).split() == ["●", "host-2", "■"]
    assert row_with("compute.instance.create.end", rows)


def test_few_messages_are_kept(boot):
    """Of many messages the last are kept."""
    seen = Overview(World(), now=lambda: boot[-1].at)
    for number in range(50):
        seen.take({SERVICES: [replace(event, message_id=f"{number}{event.message_id}") for event in boot]})
    rows = seen.drawn(100, 2_000).plain.split("\n")
    below = rows[rows.index("─" * 100) + 1 : -1]
    assert sum(map(bool, below)) == overview.MOST_MESSAGES
