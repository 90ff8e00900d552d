"""mininova-conductor: lead builds, and write to the database for the compute nodes."""

import sys

from oslo_config.cfg import ConfigOpts

from mininova.cmd.database import open_database, recorder
from mininova.cmd.launch import launch
from mininova.compute.rpcapi import ComputeAPI
from mininova.conductor.build import BuildFlow
from mininova.conductor.manager import ConductorManager
from mininova.conductor.rpcapi import ConductorAPI
from mininova.rejections import Rejections
from mininova.scheduler.rpcapi import SchedulerAPI
from mininova.service import Process


def build(conf: ConfigOpts) -> Process:
    """Make a conductor of real parts."""
    database = open_database(conf)
    process = Process(conf, "conductor")
    process.on_rejected(Rejections(database, process.notifier, process.name))
    flow = BuildFlow(conf, database, SchedulerAPI(process.peer), ComputeAPI(process.peer), process.notifier)
    manager = ConductorManager(conf, database, flow, process.notifier)
    process.connect()
    process.serve([(ConductorAPI, manager)])
    process.heartbeat(recorder(database, process.levels), ConductorAPI)
    return process


def main() -> None:
    """Run the command."""
    sys.exit(launch("conductor", build))
