"""mininova-compute: run the instances of one host, with no database and no credential for one."""

import sys
from functools import partial

from oslo_config.cfg import ConfigOpts

from mininova.audit_period import AuditPeriod
from mininova.cmd.launch import launch
from mininova.compute import admission
from mininova.compute.manager import ComputeManager
from mininova.compute.rpcapi import ComputeAPI
from mininova.compute.usage import UsageAudit
from mininova.conductor.rpcapi import ConductorAPI
from mininova.context import service_context
from mininova.service import Process
from mininova.virt.fake import FakeDriver


def build(conf: ConfigOpts) -> Process:
    """Make a compute node of real parts; it reports itself only when its queue is there to be written to."""
    process = Process(conf, "compute")
    conductor = ConductorAPI(process.peer)
    manager = ComputeManager(
        conf.host,
        FakeDriver.from_conf(conf),
        conductor,
        process.notifier,
        availability_zone=conf.compute.default_availability_zone,
        max_concurrent_builds=conf.compute.max_concurrent_builds,
        audit_period=AuditPeriod.parse(conf.instance_usage_audit_period),
    )
    process.connect()
    process.patiently(manager.init_host, "asking the conductor for this host's instances")
    process.serve([(ComputeAPI, manager)], admission.gate())
    process.every(conf.report_interval, manager.report, "the heartbeat")
    # It is asked for by name: only the answer tells whether a conductor is too old for the question.
    asked = ConductorAPI(process.peer, pin=ConductorAPI.version)
    learn = partial(process.levels.learn_from, lambda: asked.get_levels(service_context()))
    process.every(conf.report_interval, learn, "learning what the conductors speak")
    if conf.instance_usage_audit:
        usage = UsageAudit.from_conf(conf, conductor, process.notifier)
        process.at_the_end_of(usage.left, usage.tell_what_is_over, "the usage audit")
    return process


def main() -> None:
    """Run the command."""
    sys.exit(launch("compute", build))
