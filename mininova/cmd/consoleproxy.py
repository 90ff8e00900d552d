"""mininova-consoleproxy: lead users' browsers and programs to the consoles of guests, each kind at a port of its own.

It reads the database, and needs no broker.
"""

import os
import sys

from mininova import __version__, conf, errors
from mininova.cmd import imported
from mininova.cmd.database import open_database
from mininova.cmd.launch import REFUSED
from mininova.consoleproxy.proxy import SERIAL, VNC, ConsoleProxy, finder
from mininova.service import log
from mininova.service.supervised import StopSignals, say_ready


def main() -> None:
    """Run the command."""
    try:
        settings = conf.load("consoleproxy", sys.argv[1:], version=__version__)
        log.setup(settings)
        find = finder(open_database(settings))
        serial, vnc = settings.serial_console, settings.vnc
        ConsoleProxy(find, SERIAL).serve(serial.serialproxy_host, serial.serialproxy_port)
        ConsoleProxy(find, VNC).serve(vnc.novncproxy_host, vnc.novncproxy_port)
    except (errors.MininovaError, OSError) as error:
        from mininova.flow.output import complain  # which draws tables, too

        complain(f"mininova-consoleproxy: {error}")
        sys.exit(REFUSED)
    imported()
    signals = StopSignals()
    if notify_socket := os.environ.get("NOTIFY_SOCKET"):
        say_ready(notify_socket, "consoleproxy")
    signals.wait()
