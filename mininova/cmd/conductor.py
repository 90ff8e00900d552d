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
    process = Process(conf, "conductor", on_rejected=Rejections(database))
    scheduler = SchedulerAPI(process.peer, pin=conf.upgrade_levels.scheduler)
    compute = ComputeAPI(process.peer, pin=conf.upgrade_levels.compute)
    flow = BuildFlow(conf, database, scheduler, compute, process.notifier)
    manager = ConductorManager(conf, database, flow, process.notifier)
    process.connect()
    process.serve([(ConductorAPI, manager)])
    process.heartbeat(recorder(database), {ConductorAPI.topic: ConductorAPI.version})
    return process


def main() -> None:
    """Run the command."""
    sys.exit(launch("conductor", build))
