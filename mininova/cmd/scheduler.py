"""mininova-scheduler: choose hosts and claim their room."""

import sys
from functools import partial

from oslo_config.cfg import ConfigOpts

from mininova.cmd.database import open_database, recorder, registered
from mininova.cmd.launch import launch
from mininova.db.schema import NOVA
from mininova.scheduler.manager import SchedulerManager
from mininova.scheduler.rpcapi import SchedulerAPI
from mininova.service.process import Process


def build(conf: ConfigOpts) -> Process:
    """Make a scheduler of real parts."""
    database = open_database(conf)
    process = Process(conf, "scheduler", registered=registered(database))
    process.connect(partial(NOVA.check, database))
    manager = SchedulerManager(conf, database, process.notifier)
    process.serve([(SchedulerAPI, manager)])
    process.heartbeat(recorder(database, process.levels), SchedulerAPI)
    return process


def main() -> None:
    """Run the command."""
    sys.exit(launch("scheduler", build))
