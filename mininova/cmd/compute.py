"""mininova-compute: run the instances of one host, with no database and no credential for one."""

import sys

from oslo_config.cfg import ConfigOpts

from mininova.cmd.launch import launch
from mininova.compute.manager import ComputeManager
from mininova.compute.rpcapi import ComputeAPI
from mininova.conductor.rpcapi import ConductorAPI
from mininova.service import Process
from mininova.virt.fake import FakeDriver


def build(conf: ConfigOpts) -> Process:
    """Make a compute node of real parts; it reports itself only when its queue is there to be written to."""
    process = Process(conf, "compute")
    manager = ComputeManager(
        conf.host,
        FakeDriver.from_conf(conf),
        ConductorAPI(process.peer, pin=conf.upgrade_levels.conductor),
        process.notifier,
        availability_zone=conf.compute.default_availability_zone,
        max_concurrent_builds=conf.compute.max_concurrent_builds,
    )
    process.connect()
    process.patiently(manager.init_host, "asking the conductor for this host's instances")
    process.serve([(ComputeAPI, manager)])
    process.every(conf.report_interval, manager.report, "the heartbeat")
    return process


def main() -> None:
    """Run the command."""
    sys.exit(launch("compute", build))
