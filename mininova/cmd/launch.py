"""From argv to a running process: what the four services have in common.

A fault of the settings, the broker or the database at the start is one line on standard error, and a status that is
not 0.  Later the broker and the database may go away and come back.
"""

import os
import sys
from collections.abc import Callable

from oslo_config.cfg import ConfigOpts

from mininova import __version__, conf, errors, rpc
from mininova.cmd import imported
from mininova.service import log
from mininova.service.process import Process

REFUSED = 2


def launch(service: str, build: Callable[[ConfigOpts], Process]) -> int:
    """Run one service until a signal stops it, and give the exit status.

    :param build: makes the process from its settings: connected, serving, its first heartbeat recorded
    """
    try:
        settings = conf.load(service, sys.argv[1:], version=__version__)
        log.setup(settings)
        process = build(settings)
    except (errors.MininovaError, rpc.RPCError, OSError) as error:
        from mininova.flow.output import (
            complain,
        )  # brings what draws tables, which a service that starts well needs not

        complain(f"mininova-{service}: {error}")
        return REFUSED
    imported()
    process.run(os.environ.get("NOTIFY_SOCKET"))
    return 0
