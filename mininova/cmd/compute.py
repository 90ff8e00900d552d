"""mininova-compute: run the instances of one host, or of many, with no database and no credential for one.

A process that stands for many hosts has for each of them what it has for one: a hypervisor, a manager, a server of the
host's queue, and a heartbeat.  They share the connection to the broker, and the settings.
"""

import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from oslo_config.cfg import ConfigOpts

from mininova import errors, plugins, rpc
from mininova.cmd.launch import launch
from mininova.compute import rounds
from mininova.compute.credential import Credential
from mininova.compute.given_up import GivenUp
from mininova.compute.manager import ComputeManager
from mininova.compute.plugging import Plugging
from mininova.compute.rpcapi import ComputeAPI
from mininova.compute.usage import UsageAudit
from mininova.conductor.rpcapi import ConductorAPI
from mininova.context import service_context
from mininova.notifications.audit_period import AuditPeriod
from mininova.service import broker, log
from mininova.service.periodic import AT_ONCE
from mininova.service.process import Process
from mininova.trust import identities
from mininova.virt.driver import ComputeDriver

LOOKS = 10  # in the lifetime of a password: how often it is looked at, and asked for again


def build(conf: ConfigOpts) -> Process:
    """Make a compute of real parts; a host reports itself only when its queue is there to be written to."""
    credential = _credential(conf)
    process = Process(conf, "compute", passwords=credential)
    conductor = ConductorAPI(process.peer)
    hosts = conf.compute.hosts or (conf.host,)
    managers = _managers(process, conductor, hosts)
    process.on_parked(GivenUp(conductor))
    process.connect()
    learn = partial(process.levels.learn_from, lambda: conductor.get_levels(service_context()))
    _ask(process, learn, "learning what the conductors speak")  # alone: one that asks again and again is enough
    process.periodic.in_rounds(conf.report_interval, [learn], "learning what the conductors speak")
    process.threads.together(
        [log.on_host(manager.host)(partial(_open, process, manager)) for manager in managers], AT_ONCE
    )
    look = rounds.begin(process.periodic, managers, conf.report_interval, conf.compute.reconcile_interval)
    process.on_restored(look, rounds.RECONCILIATION)
    if credential is not None and conf.identities.credential_lifetime:
        renew, what = partial(credential.renew, conductor), "renewing the password at the broker"
        process.periodic.in_rounds(max(1.0, conf.identities.credential_lifetime / LOOKS), [renew], what)
    if conf.instance_usage_audit:
        _tell_usage(process, conductor, hosts)
    return process


def drivers_of(process: Process) -> dict[str, ComputeDriver]:
    """Give the hypervisor of each host of a compute that was built here."""
    managers = (manager for server in process.servers for _, manager in server.endpoints)
    return {manager.host: manager.driver for manager in managers if isinstance(manager, ComputeManager)}


def _credential(conf: ConfigOpts) -> Credential | None:
    """Find the passwords of our broker user; None if it is not a compute's own, but shared by all services."""
    if not conf.identities.enforce or not broker.has_users(conf):
        return None
    if not identities.is_compute((address := broker.address(conf)).user or ""):
        return None
    file = Path(conf.state_path, f"{address.user}.passwords")
    return Credential(file, address.password or "", lifetime=conf.identities.credential_lifetime)


def _managers(process: Process, conductor: ConductorAPI, hosts: Sequence[str]) -> list[ComputeManager]:
    """Make what runs the instances of each host."""
    conf = process.conf
    (driver,) = plugins.load("hypervisor driver", [conf.compute_driver], ComputeDriver, "[DEFAULT] compute_driver")
    return [
        ComputeManager(
            host,
            hypervisor,
            conductor,
            process.notifier_of(host),
            availability_zone=conf.compute.default_availability_zone,
            max_concurrent_builds=conf.compute.max_concurrent_builds,
            counts_failed_builds=conf.compute.consecutive_build_service_disable_threshold != 0,
            audit_period=AuditPeriod.parse(conf.instance_usage_audit_period),
            plugging=Plugging(conf.compute.vif_plugging_timeout, is_fatal=conf.compute.vif_plugging_is_fatal),
            down_after=conf.service_down_time,
        )
        for host, hypervisor in zip(hosts, driver.for_hosts(conf, hosts), strict=True)
    ]


def _ask(process: Process, work: Callable[[], object], what: str) -> None:
    """Do what needs a conductor, which may not be up yet.

    :raises errors.ConfigError: when it denies us, since a host is not one of ours
    """
    try:
        process.periodic.patiently(work, what)
    except rpc.Forbidden as error:
        problem = f"{error}.  `mininova-manage host add` says which hosts a compute stands for, and writes its settings"
        raise errors.ConfigError(problem=problem) from None


def _open(process: Process, manager: ComputeManager) -> None:
    """Make the guests of a host and its instances agree, and then take what is sent to it."""
    _ask(process, manager.reconcile, "asking the conductor for this host's instances")
    process.serve([(ComputeAPI, manager)], host=manager.host)


def _tell_usage(process: Process, conductor: ConductorAPI, hosts: Sequence[str]) -> None:
    audits = [UsageAudit.from_conf(process.conf, host, conductor, process.notifier_of(host)) for host in hosts]
    tell = [log.on_host(host)(audit.tell_what_is_over) for host, audit in zip(hosts, audits, strict=True)]
    process.periodic.after_each(audits[0].left, tell, "the usage audit")


def main() -> None:
    """Run the command."""
    sys.exit(launch("compute", build))
