"""What the flow costs a cloud, and whether its collector and its listeners keep up with 500 messages a second.

    .venv/bin/python benchmarks/flow.py [--minutes 10] [--rate 500] [--rounds 5] [--storm 100] [--clients 8]
    .venv/bin/python benchmarks/flow.py --quick

Two stacks run beside each other, one without the flow and one with it, its collector and its page.  They boot storms of
servers in turns, so that other load slows both alike: read the ratio.  Then the messages of a boot that the second one
has recorded are reported to its broker again and again, each time as another request: to the collector, to the page
with one browser that reads and one that never does, and to `mininova-flow tail`.  What they take is looked at each
tenth of the time, and at the end whether each message of the newest requests was kept.
"""

import argparse
import configparser
import http.client
import json
import os
import platform
import statistics
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import boot
import msgspec
from cloud import Client, Ears, ports, stack
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from mininova.flow.store import Reader
from mininova.rpc.transports.amqp import AMQPTransport
from mininova.rpc.transports.base import Message
from mininova.rpc.watch.flow import EXCHANGE, KEY, MessageEvent

WARM_UP = 5
EVENTS_A_REPORT = 40  # as the services report at this rate: what some of them gather in GATHER_S
NEWEST = 500  # requests that are looked for at the end: fewer than are kept
LOOKS = 10  # at memory, disk and CPU
ARRIVES_S = 2.0  # by then what happened is on disk: a service gathers events for 0.2 s, and the collector for 0.1 s
MIB = 1024 * 1024
TICKS_PER_S, PAGE_BYTES = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")

#: What listens: the word by which its process is found.
PARTS = {"collector": "collect", "page": "serve", "tail": "tail"}


# ---- what it costs


@dataclass
class Cost:
    """What was measured of the storms of one stack.

    :param rates: boots per second in each
    :param services: CPU milliseconds of the services for each boot
    :param flow: likewise of the flow's own processes
    """

    rates: list[float] = field(default_factory=list)
    services: list[float] = field(default_factory=list)
    flow: list[float] = field(default_factory=list)


class Crowd:
    """The clients of one stack, who boot storms of servers."""

    def __init__(self, home: Path, ears: Ears, clients: int) -> None:
        self._home, self._ears, self.cost = home, ears, Cost()
        self._clients = [Client(home) for _ in range(clients)]
        self._image = self._clients[0].request("GET", "/image/v2/images")[1]["images"][0]["id"]
        boot.one_at_a_time(self._clients[0], ears, self._image, WARM_UP)

    def storm(self, count: int) -> None:
        """Boot many servers and delete them, and note what that took."""
        before = cpu_seconds(self._home)
        rate, _ = boot.storm(self._clients, self._ears, self._image, count)
        services, flow = (
            (after - began) / count * 1000 for after, began in zip(cpu_seconds(self._home), before, strict=True)
        )
        self.cost.rates.append(rate)
        self.cost.services.append(services)
        self.cost.flow.append(flow)


def processes(home: Path) -> Iterator[tuple[Path, str]]:
    """Find the processes of a stack's services, with their command lines."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue
        if "/mininova-" in command and str(home) in command:
            yield folder, command


def cpu_seconds(home: Path) -> tuple[float, float]:
    """Give the CPU seconds that the services of a stack have used, and those of the flow's own processes."""
    used = [0, 0]
    for folder, command in processes(home):
        user, system = (folder / "stat").read_text().rpartition(")")[2].split()[11:13]
        used["/mininova-flow" in command] += int(user) + int(system)
    return used[0] / TICKS_PER_S, used[1] / TICKS_PER_S


def table_of_costs(off: Cost, on: Cost, title: str) -> Table:
    """Print both stacks side by side: medians, their ratio, and that of each round."""
    made = Table(title=title)
    for column in ("what", "flow off", "flow on", "on ÷ off", "of each round"):
        made.add_column(column, justify="left" if column == "what" else "right")
    for name, form, pick in (
        ("boots per second", ".1f", lambda cost: cost.rates),
        ("CPU of the services for a boot and its delete, ms", ".1f", lambda cost: cost.services),
    ):
        before, after = pick(off), pick(on)
        middle = [statistics.median(values) for values in (before, after)]
        each = " ".join(f"{b / a:.2f}" for a, b in zip(before, after, strict=True))
        made.add_row(name, *(f"{value:{form}}" for value in middle), f"{middle[1] / middle[0]:.3f}", each)
    made.add_row("CPU of the collector and the page for it, ms", "", f"{statistics.median(on.flow):.1f}", "", "")
    return made


# ---- whether it keeps up


class Copies:
    """Makes one request after another of a recorded one: other ids, and a time of now."""

    def __init__(self, events: Sequence[MessageEvent]) -> None:
        self._events = sorted(events, key=lambda event: event.at)
        self.messages = sum(event.kind in ("sent", "http") for event in events) + sum(
            event.kind == "replied" and event.pattern == "call" for event in events
        )
        self.made = list[str]()

    def reports(self) -> Iterator[bytes]:
        """Give the reports of the next copy."""
        made, now = f"req-{uuid.uuid4()}", time.time()
        copied = [
            replace(
                event, request_id=made, at=now + number * 1e-6,
                message_id=made if event.kind == "http" else f"{made[-12:]}{event.message_id[12:]}",
            )
            for number, event in enumerate(self._events)
        ]  # fmt: skip
        self.made.append(made)
        for first in range(0, len(copied), EVENTS_A_REPORT):
            yield msgspec.json.encode(copied[first : first + EVENTS_A_REPORT])


class Browser:
    """Reads what the page streams, and notes how late each message is."""

    def __init__(self, port: int, *, reads: bool = True) -> None:
        self.heard, self.missed, self.ends, self._late = 0, 0, 0, list[float]()
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._answer = self._ask()
        if reads:
            threading.Thread(target=self._read, daemon=True).start()

    def _ask(self) -> http.client.HTTPResponse:
        self._connection.close()
        self._connection.request("GET", "/api/live")
        return self._connection.getresponse()

    def _read(self) -> None:
        """Read, and ask anew when the stream ends, as a browser does."""
        while True:
            with suppress(OSError, http.client.HTTPException):
                self._read_to_its_end()
                self.ends += 1
                self._answer = self._ask()

    def _read_to_its_end(self) -> None:
        kind = b""
        while line := self._answer.readline():
            if line.startswith(b"event: "):
                kind = line[7:].strip()
            elif line.startswith(b"data: ") and kind == b"missed":
                self.missed += json.loads(line[6:])["count"]
            elif line.startswith(b"data: ") and kind == b"message":
                self.heard += 1
                self._late.append(time.time() - json.loads(line[6:])["at"])

    def lateness(self) -> str:
        """Give the median of how late messages were since this was asked last, in milliseconds; "" if none came."""
        late, self._late = self._late, []
        return f"{statistics.median(late) * 1000:.0f}" if late else ""


@contextmanager
def tail(home: Path) -> Iterator[None]:
    """Run mininova-flow tail, as someone would who reads all."""
    command = [Path(sys.executable).with_name("mininova-flow"), "tail", "--config-file", home / "etc/mininova.conf"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as running:
        assert running.stderr is not None
        running.stderr.readline()  # it says that it listens
        yield
        running.terminate()


def look(home: Path, browser: Browser, sent: int, seconds: float) -> dict[str, str]:
    """Note what the flow takes now."""
    memory = {}
    for folder, command in processes(home):
        for part, word in PARTS.items():
            if f"/mininova-flow {word} " in command:
                memory[part] = int((folder / "statm").read_text().split()[1]) * PAGE_BYTES / MIB
    disk = 0.0
    for path in list((home / "flow").rglob("*")):
        with suppress(FileNotFoundError):  # a request that made room for a newer one
            disk += path.stat().st_blocks * 512 / MIB
    return {
        "s": f"{seconds:.0f}",
        "messages/s": f"{sent / seconds:.0f}" if seconds else "",
        **{f"{part} MiB": f"{memory.get(part, 0):.0f}" for part in PARTS},
        "disk MiB": f"{disk:.0f}",
        "late ms": browser.lateness(),
        "missed": str(browser.missed),
        "ends": str(browser.ends),
    }


def flood(home: Path, copies: Copies, seconds: float, rate: int, noted: Callable[[int, float], None]) -> None:
    """Report copies at a rate of messages.

    :param noted: is called LOOKS times, with the messages so far and the seconds
    """
    settings = configparser.RawConfigParser()
    settings.read(home / "etc/mininova.conf")
    transport = AMQPTransport(settings["DEFAULT"]["transport_url"])
    transport.start()
    began, sent, looks = time.monotonic(), 0, 1
    try:
        while (passed := time.monotonic() - began) < seconds:
            if passed >= looks * seconds / (LOOKS + 1):
                noted(sent, passed)
                looks += 1
            for body in copies.reports():
                transport.publish(Message(body=body, exchange=EXCHANGE, routing_key=KEY, message_id="",
                                          user_id=transport.user_id))  # fmt: skip
            sent += copies.messages
            time.sleep(max(0.0, began + sent / rate - time.monotonic()))
        noted(sent, time.monotonic() - began)
    finally:
        transport.stop()


def keeps_up(home: Path, port: int, seconds: float, rate: int) -> tuple[Table, str]:
    """Flood the flow of a stack; give what was seen, and a sentence on what was kept."""
    time.sleep(ARRIVES_S)
    reader = Reader(home / "flow")
    recorded = next(one for one in reader.requests() if one.what.startswith("POST") and one.status == 202)
    events = reader.events(recorded.request_id)
    copies, rows = Copies(events), list[Mapping[str, str]]()
    with tail(home):
        browser, stuck = Browser(port), Browser(port, reads=False)
        flood(home, copies, seconds, rate, lambda sent, passed: rows.append(look(home, browser, sent, passed)))
        time.sleep(ARRIVES_S)
        rows.append(look(home, browser, 0, 0) | {"s": "after"})
        del stuck
    newest = copies.made[-NEWEST:]
    whole = sum(len(reader.events(request_id)) == len(events) for request_id in newest)
    made = Table(title=f"{rate} messages a second for {seconds:.0f} s; {machine()}")
    for column in rows[0]:
        made.add_column(column, justify="right")
    for row in rows:
        made.add_row(*row.values())
    said = f"Of {len(copies.made)} requests with {copies.messages} messages each, the newest {len(newest)}"
    return (
        made,
        f"{said} were looked for, and {whole} had been kept whole. The browser heard of {browser.heard} events.",
    )


def machine() -> str:
    """Name what this was measured on."""
    cores = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    return f"{cores}; load {os.getloadavg()[1]:.1f}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="how long messages are reported (10)")
    parser.add_argument("--rate", type=int, default=500, help="messages a second (500)")
    parser.add_argument("--rounds", type=int, default=5, help="storms on each stack (5); 0 leaves them out")
    parser.add_argument("--storm", type=int, default=100, help="servers booted at once (100)")
    parser.add_argument("--clients", type=int, default=8, help="clients of a storm (8)")
    parser.add_argument("--computes", type=int, default=3, help="compute processes of each stack (3)")
    parser.add_argument("--quick", action="store_true", help="one stack and a second of messages, to see that it runs")
    sizes = parser.parse_args()
    if sizes.quick:
        sizes.minutes, sizes.rounds, sizes.clients, sizes.computes = 0.02, 0, 1, 1
    console = Console(width=None if sys.stdout.isatty() else 120)
    with ExitStack() as ends:
        port = ports.pick()
        on = ends.enter_context(stack(sizes.computes, MININOVA_FLOW="1", MININOVA_FLOW_PORT=str(port)))
        crowd = Crowd(on.home, ends.enter_context(Ears(on.home)), sizes.clients)
        if sizes.rounds:
            with stack(sizes.computes) as off, Ears(off.home) as ears:
                crowds = [Crowd(off.home, ears, sizes.clients), crowd]
                for number in range(sizes.rounds):
                    for each in crowds if number % 2 == 0 else reversed(crowds):
                        each.storm(sizes.storm)
                what = f"{sizes.rounds} storms of {sizes.storm} servers, {sizes.clients} clients"
                title = f"{what}, {sizes.computes} computes; {machine()}"
                console.print(table_of_costs(crowds[0].cost, crowds[1].cost, title))
        made, said = keeps_up(on.home, port, sizes.minutes * 60, sizes.rate)
        console.print(made)
        console.print(said)


if __name__ == "__main__":
    main()
