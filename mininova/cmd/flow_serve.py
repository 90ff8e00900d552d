"""mininova-flow serve: the flow in a browser, live or from a store that was kept."""

import os
from collections.abc import Sequence
from pathlib import Path

from oslo_config.cfg import ConfigOpts

from mininova import errors
from mininova.control.client import Control
from mininova.flow import collector, output
from mininova.flow.store import Reader
from mininova.flow.world import World
from mininova.flow.world.past import replay, so_far
from mininova.service import concurrency, log
from mininova.service.http_bounds import BOUNDS
from mininova.service.process import Process
from mininova.service.supervised import StopSignals, say_ready
from mininova.web.app import Site, names_of
from mininova.web.feed import Feed
from mininova.web.play import Play
from mininova.web.requests import Requests
from mininova.web.servers import Servers
from mininova.web.stream import Listeners
from mininova.wsgi import Route

TELL_EVERY_S = 0.25


def recorded(conf: ConfigOpts, directory: Path) -> None:
    """Show what a collector kept, without a broker, until a signal ends it.

    :raises errors.FlowNotKept: when there is nothing
    :raises errors.ConfigError: when the port is taken
    """
    listen, port = conf.flow.listen, conf.flow.port
    world = World()
    replay(world, Reader(directory))
    site = Site(Requests(directory), lambda: world.rows(world.last), None, names=names_of(listen))
    try:
        server = concurrency.make().serve_http(listen, port, site, BOUNDS)
    except OSError as error:
        raise errors.ConfigError(problem=f"[flow] port = {port}: cannot listen on {listen}: {error.strerror}") from None
    signals = StopSignals()
    _say(listen, server.port, f"what was kept in {directory}")
    if notify_socket := os.environ.get("NOTIFY_SOCKET"):
        say_ready(notify_socket, "flow")
    signals.wait()


def live(conf: ConfigOpts) -> None:
    """Show what happens in a cloud, until a signal ends it.

    :raises errors.ConfigError: when the port is taken
    """
    log.setup(conf)
    collector.let_others_go_first()
    process = build(conf)
    _say(conf.flow.listen, process.http_ports[-1], "the cloud")
    process.run(os.environ.get("NOTIFY_SOCKET"))


def build(conf: ConfigOpts) -> Process:
    """Make it of real parts: one more listener to the exchange of the flow, as ``tail`` is."""
    process, listeners = Process(conf, "flow"), Listeners()
    world = so_far(conf.flow.directory, report_interval=conf.report_interval, down_after=conf.service_down_time)
    feed = Feed(world, listeners)
    process.transport.subscribe(collector.subscription(feed.take, "flow_tail", enforce=conf.identities.enforce))
    process.connect()
    process.periodic.in_rounds(TELL_EVERY_S, [feed.tell_changes], "telling what changed")
    names = names_of(conf.flow.listen)
    site = Site(Requests(conf.flow.directory), feed.world, listeners, names=names, play=_play(conf))
    process.serve_http(site, conf.flow.listen, conf.flow.port, setting="[flow] port")
    process.on_stopping(listeners.close)
    return process


def _play(conf: ConfigOpts) -> Sequence[Route]:
    """Give what the page may do to the cloud: nothing, unless the settings say how.

    :raises errors.ConfigError: when there is no such control API
    """
    if not (conf.flow.control and conf.flow.clouds):
        return ()
    try:
        control = Control.of_file(conf.flow.control)
    except (OSError, ValueError) as error:
        raise errors.ConfigError(problem=f"[flow] control = {conf.flow.control}: {error}") from None
    return Play(control, Servers(conf.flow.clouds)).routes()


def _say(listen: str, port: int, what: str) -> None:
    """Say where the page is."""
    output.say(f"http://{'127.0.0.1' if listen == '0.0.0.0' else listen}:{port}/ shows {what}; Ctrl-C ends it")
