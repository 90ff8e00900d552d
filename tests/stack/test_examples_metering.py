"""examples/metering, as processes on a real broker: each sample counts once although processes die, and it can be
upgraded.
"""

import ast
import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import kombu
import pytest

from tests.fixtures.programs import PATIENCE, Program

EXAMPLES = Path(__file__).parents[2] / "examples"

# What 1.1 added, to be undone: file → its present text, and the text of 1.0.
BEFORE_1_1 = {
    "api.py": {
        'topic, version = "meter", "1.1"': 'topic, version = "meter", "1.0"',
        ', meter: Annotated[str, rpc.since("1.1")] = "cpu") -> None': ") -> None",
    },
    "server.py": {
        "samples: list[Sample], meter: str": "samples: list[Sample]",
        "self._store.add(meter, samples)": 'self._store.add("cpu", samples)',
    },
}


class Metering:
    """The project's programs around one broker.

    :ivar code: the folder that they are started from
    """

    def __init__(self, folder: Path, url: str) -> None:
        self._folder, self._url, self.code = folder, url, EXAMPLES
        self.programs: list[Watched] = []

    def server(self, name: str = "a") -> "Watched":
        """Start a server; all servers use one database."""
        return self._start("server", name, str(self._folder / "meter.db"))

    def agent(self, host: str, *words: str) -> "Watched":
        """Start an agent that reports at short intervals, unless the test says otherwise."""
        return self._start("agent", host, "--interval", "0.05", *words)

    def _start(self, program: str, *words: str) -> "Watched":
        command = [sys.executable, "-m", f"metering.{program}", "--broker", self._url, "--watch", *words]
        started = Watched(command, self.code, os.environ)
        self.programs.append(started)
        started.wait_for(" up")
        return started

    def ask(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run the operator's command."""
        command = [sys.executable, "-m", "metering.ask", "--broker", self._url, *words]
        return subprocess.run(command, cwd=self.code, capture_output=True, text=True, timeout=PATIENCE)

    def totals(self) -> dict[tuple[str, str], tuple[str, int]]:
        """Give the counted totals: (host, meter) → the amount, as it is printed, and the number of samples."""
        rows = [line.split() for line in self.ask("totals").stdout.splitlines()]
        return {(host, meter): (amount, int(samples)) for host, meter, amount, _, samples, _ in rows}

    def as_before_1_1(self) -> Path:
        """Make a copy of the project that speaks MeterAPI 1.0, and give its folder."""
        shutil.copytree(EXAMPLES / "metering", self._folder / "metering")
        for name, changes in BEFORE_1_1.items():
            path = self._folder / "metering" / name
            text = path.read_text()
            for now, before in changes.items():
                assert text.count(now) == 1, now
                text = text.replace(now, before)
            path.write_text(text)
        return self._folder

    def close(self) -> None:
        """End every program."""
        for program in self.programs:
            program.kill()


class Watched(Program):
    """A program that says what happens to its messages.

    Messages are those that carry samples, by their ids.

    :ivar said: what happened (``sent``, ``replied``, …) → to which messages
    :ivar arguments: what was in each
    """

    def __init__(self, *how: Any) -> None:
        self.said: dict[str, set[str]] = defaultdict(set)
        self.arguments: dict[str, Any] = {}
        super().__init__(*how)

    def take(self, line: str) -> None:
        """Record an event of a message."""
        super().take(line)
        if line.startswith("{"):
            event = json.loads(line)
            if event["method"] == "record":
                self.said[event["kind"]].add(event["message_id"])
                self.arguments.setdefault(event["message_id"], event.get("payload"))

    def wait_for_messages(self, said: str, count: int, meter: str | None = None) -> None:
        """Wait for an event of a number of messages, perhaps of one meter only."""
        self.wait_until(
            lambda: sum(meter in (None, self.meter(message)) for message in self.said[said]) >= count,
            f"{count} messages of {meter or 'any meter'} {said}",
        )

    def meter(self, message: str) -> str:
        """Give the meter of a message's samples."""
        return str(self.arguments[message].get("meter", "cpu"))


@pytest.fixture
def metering(tmp_path: Path, private_broker: Any) -> Iterator[Metering]:
    """Give the project, with an empty queue."""
    with kombu.Connection(private_broker.url) as connection:
        connection.default_channel.queue_delete("meter")
    made = Metering(tmp_path, private_broker.url)
    yield made
    made.close()


def samples_of(*agents: Watched) -> dict[tuple[str, str], tuple[str, int]]:
    """Add up the samples that agents sent, each once, in the form of ``Metering.totals``."""
    amounts: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    for agent in agents:
        for message in agent.said["sent"]:
            for sample in agent.arguments[message]["samples"]:
                amounts[sample["host"], agent.meter(message)][sample["id"]] = sample["amount"]
    return {key: (f"{sum(samples.values()):,.2f}", len(samples)) for key, samples in amounts.items()}


def wait_until_handled(agents: Iterable[Watched], *servers: Watched) -> None:
    """Wait until a server has handled, or refused, each message of the agents; the last server is alive."""
    left = {message for agent in agents for message in agent.said["sent"]}
    for gone in servers[:-1]:
        left -= gone.said["replied"] | gone.said["rejected"]
    servers[-1].wait_until(lambda: left <= servers[-1].said["replied"], "the last sample")


def test_it_uses_only_the_library():
    """It imports the library, msgspec and the standard library, and nothing else of mininova."""
    nodes = [node for path in EXAMPLES.glob("metering/*.py") for node in ast.walk(ast.parse(path.read_text()))]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {f"{n.module}.{alias.name}" for n in nodes if isinstance(n, ast.ImportFrom) for alias in n.names}
    foreign = {name for name in names if name.partition(".")[0] not in {*sys.stdlib_module_names, "metering"}}

    assert {name for name in foreign if not name.startswith("mininova.rpc")} == {"msgspec"}


def test_each_sample_counts_once_though_servers_are_killed(metering: Metering):
    """Two servers are killed at work: the samples that agents sent are counted, to the last one."""
    first = metering.server()
    agents = [metering.agent("host-1"), metering.agent("host-2")]
    first.wait_for_messages("replied", 40)
    first.kill()
    agents[0].wait_for_messages("sent", len(agents[0].said["sent"]) + 20)  # no server runs
    second = metering.server()
    second.wait_for_messages("replied", 40)
    second.kill()
    third = metering.server()

    assert [agent.end() for agent in agents] == [0, 0]
    wait_until_handled(agents, first, second, third)

    assert metering.totals() == samples_of(*agents)
    assert third.end() == 0


def test_an_operator_asks(metering: Metering):
    """Totals come from a server, a reading from one agent, and a new interval reaches every agent at once."""
    server = metering.server()
    agents = [metering.agent(host, "--interval", "3600") for host in ("host-1", "host-2")]

    assert metering.ask("interval", "0.05").returncode == 0
    for agent in agents:
        agent.wait_for_messages("sent", 3)
    server.wait_for_messages("replied", 6)

    assert metering.totals().keys() >= {("host-1", "cpu"), ("host-2", "cpu")}
    assert float(metering.ask("read", "host-2").stdout.replace(",", "")) > 0


def test_an_operator_reads_what_is_wrong(metering: Metering):
    """The project's own errors arrive as their classes, and so do the library's."""
    metering.server()
    metering.agent("host-1", "--interval", "3600")

    assert metering.ask("totals", "nowhere").stderr == "UnknownHost: nothing was ever metered on nowhere\n"
    assert metering.ask("read", "host-1", "heat").stderr == "UnknownMeter: host-1 has no meter heat\n"
    assert metering.ask("read", "nowhere").stderr == "Undeliverable: nothing serves meter-agent.nowhere\n"


def test_new_agents_are_pinned_until_the_servers_are_new(metering: Metering):
    """A pinned agent sends only what an old server can read; unpinned, it sends all to a new one."""
    new, metering.code = metering.code, metering.as_before_1_1()
    old_server = metering.server("old")
    metering.code = new
    pinned = metering.agent("host-1", "--pin", "1.0")
    old_server.wait_for_messages("replied", 5, "cpu")
    pinned.wait_for("meter.record needs version 1.1 of MeterAPI")

    assert pinned.end() == 0
    assert old_server.end() == 0
    new_server = metering.server("new")
    unpinned = metering.agent("host-1")
    new_server.wait_for_messages("replied", 5, "network")

    assert not old_server.said["rejected"]
    assert unpinned.end() == 0
    wait_until_handled([pinned, unpinned], old_server, new_server)
    assert metering.totals() == samples_of(pinned, unpinned)


def test_samples_that_an_old_server_refuses_are_counted_by_a_new_one(metering: Metering):
    """If agents are upgraded first, refused samples come back to their agent, which sends them again."""
    new, metering.code = metering.code, metering.as_before_1_1()
    old_server = metering.server("old")
    metering.code = new
    agent = metering.agent("host-1")
    agent.wait_for("samples came back")
    old_server.wait_for_messages("replied", 5, "cpu")

    assert old_server.end() == 0
    new_server = metering.server("new")
    new_server.wait_for_messages("replied", 5, "network")
    assert agent.end() == 0
    wait_until_handled([agent], old_server, new_server)

    assert metering.totals() == samples_of(agent)
