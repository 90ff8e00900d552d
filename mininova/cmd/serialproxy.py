"""mininova-serialproxy: lead users' browsers and programs to the serial consoles of guests.

It reads the database, and needs no broker.
"""

import os
import sys

from mininova import __version__, conf, errors
from mininova.cmd.database import open_database
from mininova.cmd.launch import REFUSED
from mininova.serialproxy.proxy import SerialProxy, finder
from mininova.service import log
from mininova.service.supervised import StopSignals, say_ready


def main() -> None:
    """Run the command."""
    try:
        settings = conf.load("serialproxy", sys.argv[1:], version=__version__)
        log.setup(settings)
        where = settings.serial_console
        SerialProxy(finder(open_database(settings))).serve(where.serialproxy_host, where.serialproxy_port)
    except (errors.MininovaError, OSError) as error:
        from mininova.flow.output import complain  # which draws tables, too

        complain(f"mininova-serialproxy: {error}")
        sys.exit(REFUSED)
    signals = StopSignals()
    if notify_socket := os.environ.get("NOTIFY_SOCKET"):
        say_ready(notify_socket, "serialproxy")
    signals.wait()
