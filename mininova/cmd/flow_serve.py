"""mininova-flow serve: the flow in a browser, live or from a store that was kept."""

import os
from pathlib import Path

from oslo_config.cfg import ConfigOpts

from mininova import errors
from mininova.flow import output
from mininova.flow.store import Reader
from mininova.service import concurrency, log
from mininova.service.http_bounds import BOUNDS
from mininova.service.process import Process
from mininova.service.supervised import StopSignals, say_ready
from mininova.web.app import Site, names_of
from mininova.web.requests import Requests


def recorded(conf: ConfigOpts, directory: Path) -> None:
    """Show what a collector kept, without a broker, until a signal ends it.

    :raises errors.FlowNotKept: when there is nothing
    :raises errors.ConfigError: when the port is taken
    """
    Reader(directory)
    listen, port = conf.flow.listen, conf.flow.port
    site = Site(Requests(directory), names=names_of(listen), recorded=True)
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
    process = build(conf)
    _say(conf.flow.listen, process.http_ports[-1], "the cloud")
    process.run(os.environ.get("NOTIFY_SOCKET"))


def build(conf: ConfigOpts) -> Process:
    """Make it of real parts."""
    process = Process(conf, "flow")
    site = Site(Requests(conf.flow.directory), names=names_of(conf.flow.listen), recorded=False)
    process.connect()
    process.serve_http(site, conf.flow.listen, conf.flow.port, setting="[flow] port")
    return process


def _say(listen: str, port: int, what: str) -> None:
    """Say where the page is."""
    output.say(f"http://{'127.0.0.1' if listen == '0.0.0.0' else listen}:{port}/ shows {what}; Ctrl-C ends it")
