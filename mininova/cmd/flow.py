"""mininova-flow: see every message of a request.

``collect`` is the process that keeps what the other commands show.
"""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from oslo_config.cfg import ConfigOpts
from rich.live import Live as Screen

from mininova import conf as settings
from mininova import errors
from mininova.cmd import arguments
from mininova.flow import collector, life, live, output, screen
from mininova.flow.export import EXPORTS
from mininova.flow.message import messages
from mininova.flow.overview import REFRESH_PER_S, Overview
from mininova.flow.reports import Told
from mininova.flow.store import Reader, Writer
from mininova.flow.world.past import so_far
from mininova.service import log
from mininova.service.process import Process


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code is 0, or 2 after one line that says what is wrong."""
    parsed = _parser().parse_args(argv)
    return arguments.run("mininova-flow", lambda: _run(parsed))


def _run(parsed: argparse.Namespace) -> None:
    conf = settings.read_files("flow", arguments.config_files(parsed))
    parsed.command(conf, parsed)


def _parser() -> argparse.ArgumentParser:
    parser, commands = arguments.parser("mininova-flow", "See every message of a request, in order.")

    listing = commands("list", _list, "list the requests that were kept, the newest last")
    listing.add_argument("--all", action="store_true", help="also those that no api announced, such as heartbeats")
    listing.add_argument("--last", type=_some, metavar="N", help="only the last N")

    show = commands("show", _show, "show the messages of a request, or of all requests that touched a server")
    show.add_argument(
        "wanted", metavar="REQUEST_ID|SERVER", help="a request id or its beginning, or a server's name or uuid"
    )
    show.add_argument("--payload", action="store_true", help="with the arguments and results")
    show.add_argument("--diagram", action="store_true", help="as a sequence diagram: a lane for each service")

    lives = commands("life", _life, "show each state that a server has had, and the requests that caused them")
    lives.add_argument(
        "wanted", metavar="SERVER", help="a server's name or uuid, or the id of a request that touched it"
    )
    arguments.add_format(listing, lives)
    arguments.add_format(show, more=EXPORTS)

    tail = commands("tail", _tail, "show messages as they are sent, until interrupted")
    tail.add_argument("--all", action="store_true", help="also heartbeats")

    watch = commands("watch", _watch, "show the map of the cloud and its messages on a terminal, until interrupted")
    watch.add_argument("--all", action="store_true", help="also heartbeats")

    serve = commands("serve", _serve, "show the flow in a browser, until a signal ends it (the local stack runs one)")
    serve.add_argument(
        "--from", dest="recorded", type=Path, metavar="DIR", help="show what a collector kept here, without a cloud"
    )

    commands("collect", _collect, "keep what services report, until a signal ends it (the local stack runs one)")
    return parser


def _some(said: str) -> int:
    """Read how many are wanted."""
    if not said.isdecimal() or int(said) < 1:
        raise argparse.ArgumentTypeError(f"it must be a number from 1 up, not {said:.40}")
    return int(said)


def _list(conf: ConfigOpts, parsed: argparse.Namespace) -> None:
    found = Reader(conf.flow.directory).requests(everything=parsed.all)
    found = found[-parsed.last :] if parsed.last else found
    if parsed.format == "json":
        output.show_json([screen.summary_data(one) for one in found])
    elif found:
        screen.listed(output.printer(), found, senders=parsed.all)
    else:
        output.say("No request has been kept yet: only those that change something are, so create a server.")


def _show(conf: ConfigOpts, parsed: argparse.Namespace) -> None:
    reader = Reader(conf.flow.directory)
    shown = [(one, messages(reader.events(one.request_id))) for one in reader.find(parsed.wanted)]
    if parsed.format == "json":
        output.show_json([screen.as_data(one, made) for one, made in shown])
        return
    if parsed.format in EXPORTS:
        if len(shown) > 1:
            raise errors.ManyRequests(wanted=parsed.wanted, ids=", ".join(one.request_id for one, _ in shown))
        output.show_text(EXPORTS[parsed.format](*shown[0]))
        return
    console = output.printer()
    for number, (one, made) in enumerate(shown):
        if number:
            console.print()
        if parsed.diagram:
            screen.diagram(console, one, made)
        else:
            screen.show(console, one, made, payload=parsed.payload)


def _life(conf: ConfigOpts, parsed: argparse.Namespace) -> None:
    reader = Reader(conf.flow.directory)
    lives = []
    for uuid, name in reader.instances(parsed.wanted).items():
        requests = reader.find(uuid)
        events = (event for one in requests for event in reader.events(one.request_id))
        lives.append((uuid, name, life.steps(uuid, events, requests), requests))
    if parsed.format == "json":
        output.show_json([screen.life_data(*lived) for lived in lives])
        return
    console = output.printer()
    for number, (uuid, name, told, _) in enumerate(lives):
        if number:
            console.print()
        screen.life(console, uuid, name, told)


def _tail(conf: ConfigOpts, parsed: argparse.Namespace) -> None:
    console, seen = output.printer(), live.Live(everything=parsed.all)

    def print_lines(told: Told) -> None:
        try:
            for event, line in seen.lines(event for events in told.values() for event in events):
                console.print(screen.row_text(line, live.row(event, line)), soft_wrap=True)
        except BrokenPipeError:  # the reader of our output is gone
            signal.raise_signal(signal.SIGTERM)

    process = _listening(conf, print_lines)
    note = "" if conf.flow.enabled else "  (these settings have [flow] enabled = false: is it on for the services?)"
    output.complain(f"listening to {settings.redacted(conf.transport_url)}{note}")
    process.run()


def _watch(conf: ConfigOpts, parsed: argparse.Namespace) -> None:
    console = output.printer()
    if not console.is_terminal or console.is_dumb_terminal:
        raise errors.NoTerminal()
    world = so_far(conf.flow.directory, report_interval=conf.report_interval, down_after=conf.service_down_time)
    seen = Overview(world, everything=parsed.all)
    process = _listening(conf, seen.take)
    drawing = Screen(
        console=console,
        get_renderable=lambda: seen.drawn(*console.size),
        screen=True,
        refresh_per_second=REFRESH_PER_S,
    )
    process.at_the_end(drawing.stop)
    with drawing:
        process.run()


def _listening(conf: ConfigOpts, take: Callable[[Told], None]) -> Process:
    """Make a process that listens to the exchange, and connect it.

    :param take: gets the events of each report
    """
    process = Process(conf, "flow")
    process.transport.subscribe(collector.subscription(take, "flow_tail", enforce=conf.identities.enforce))
    process.connect(patiently=False)
    return process


def _serve(conf: ConfigOpts, parsed: argparse.Namespace) -> None:
    from mininova.cmd import flow_serve  # with all that speaks HTTP, which the other commands need not load

    flow_serve.recorded(conf, parsed.recorded) if parsed.recorded else flow_serve.live(conf)


def _collect(conf: ConfigOpts, parsed: argparse.Namespace) -> None:
    log.setup(conf)
    collector.let_others_go_first()
    build(conf).run(os.environ.get("NOTIFY_SOCKET"))


def build(conf: ConfigOpts) -> Process:
    """Make a collector of real parts."""
    writer = Writer(conf.flow.directory, conf.flow.keep)
    process, kept = Process(conf, "flow"), collector.Collector(writer)
    process.transport.subscribe(collector.subscription(kept.take, "flow_collector", enforce=conf.identities.enforce))
    process.connect()
    kept.start()
    process.at_the_end(kept.stop)
    process.at_the_end(writer.close)
    return process


if __name__ == "__main__":
    sys.exit(main())
