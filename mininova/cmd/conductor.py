"""mininova-conductor: lead builds, and write to the database for the compute nodes."""

import sys
from functools import cache, partial
from typing import TYPE_CHECKING

from oslo_config.cfg import ConfigOpts

from mininova import errors
from mininova.cmd.database import open_database, recorder, registered
from mininova.cmd.launch import launch
from mininova.compute.rpcapi import ComputeAPI
from mininova.conductor import confirm, reclaim
from mininova.conductor.build import BuildTask
from mininova.conductor.checks.arguments import CHECKS
from mininova.conductor.checks.denials import DenialLog
from mininova.conductor.confirm import Confirmer
from mininova.conductor.credentials import Credentials
from mininova.conductor.manager import ConductorManager
from mininova.conductor.reclaim import Reclaimer
from mininova.conductor.rpcapi import ConductorAPI
from mininova.conductor.snapshots import Snapshots
from mininova.conductor.sweeper import LOOKS, Sweeper
from mininova.db import identities
from mininova.db.schema import NOVA
from mininova.db.session import Database
from mininova.manage.broker_admin import BrokerAdmin
from mininova.scheduler.rpcapi import SchedulerAPI
from mininova.service import concurrency, images, volumes
from mininova.service.attachments import AttachmentEnds
from mininova.service.port_bindings import NotToldOf, PortBindings, port_bindings
from mininova.service.process import Process
from mininova.service.rejections import Rejections
from mininova.trust.directory import Directory

if TYPE_CHECKING:
    from mininova.wsgi.deploy import Parts


def build(conf: ConfigOpts) -> Process:
    """Make a conductor of real parts."""
    database = open_database(conf)
    directory = Directory(identities.reader(database))
    denials = DenialLog(database, spawn=concurrency.make().spawn)
    process = Process(
        conf, "conductor", directory=directory, checks=CHECKS, on_denied=denials, registered=registered(database)
    )
    builds = BuildTask(conf, database, SchedulerAPI(process.peer), ComputeAPI(process.peer), process.notifier)
    process.on_rejected(Rejections(builds.ends))
    process.on_parked(Rejections(builds.ends, "given up"))
    identity_of = directory if conf.identities.enforce else None
    snapshots = Snapshots(database, cache(partial(_images, process, database)))
    attachments = AttachmentEnds(database, process.notifier, cache(partial(_volumes, process, database)))
    manager = ConductorManager(
        conf, database, builds, process.notifier, identity_of, denials, _credentials(conf, database), snapshots,
        attachments,
    )  # fmt: skip
    manager.ports = _ports(process, database)
    process.at_the_end(denials.stop)
    process.connect(partial(NOVA.check, database))
    server = process.serve([(ConductorAPI, manager)])
    manager.on_identities = process.hear(server, directory.computes)
    process.heartbeat(recorder(database, process.levels), ConductorAPI)
    sweeper = Sweeper(conf, database, builds, snapshots, attachments=attachments)
    process.on_restored(sweeper.hurry, "looking soon at all that is under way")
    process.periodic.every(conf.operations.due_after / LOOKS, sweeper.sweep, "the sweep")
    if interval := conf.operations.reclaim_instance_interval:
        reclaimer = Reclaimer(conf, database, process.notifier)
        process.periodic.every(interval / reclaim.LOOKS, reclaimer.reclaim, "the reclaim of soft-deleted instances")
    if window := conf.operations.resize_confirm_window:
        confirmer = Confirmer(conf, database, process.notifier)
        process.periodic.every(window / confirm.LOOKS, confirmer.confirm, "the confirming of resized instances")
    return process


def _images(process: Process, database: Database) -> images.ImageService:
    """Make the image service that api-paste.ini names, at the first image: a cloud may never have a snapshot."""
    return images.image_service(images.configured(process.conf), _parts(process, database))


def _volumes(process: Process, database: Database) -> volumes.VolumeService:
    """Make the volume service that api-paste.ini names, at the first volume."""
    return volumes.volume_service(images.configured(process.conf, volumes.SETTING), _parts(process, database))


def _ports(process: Process, database: Database) -> PortBindings:
    """Make what hears of ports; it is nothing, and costs nothing, unless Nova is to be told of them."""
    network = process.conf.network
    if not (network.notify_nova_on_port_status_changes or network.notify_nova_on_port_data_changes):
        return NotToldOf()
    return port_bindings(_parts(process, database))


def _parts(process: Process, database: Database) -> "Parts":
    from mininova.wsgi.deploy import Parts  # it brings WebOb, which costs a conductor's start a tenth of a second

    threads = process.threads
    return Parts(
        process.conf, database, process.peer, process.notifier, process.reporter, aside=threads.aside,
        spawn=threads.spawn,
    )  # fmt: skip


def _credentials(conf: ConfigOpts, database: Database) -> Credentials | None:
    """Make what renews passwords of computes, if the settings want it.

    :raises errors.ConfigError: when the broker takes no hash of a password
    """
    lifetime = conf.identities.credential_lifetime
    if not lifetime:
        return None
    if conf.broker_admin.plain_passwords:
        problem = "[identities] credential_lifetime is for a broker that takes the hash of a password, as RabbitMQ does"
        raise errors.ConfigError(problem=f"{problem}: leave it at 0 where [broker_admin] plain_passwords is true")
    return Credentials(database, BrokerAdmin(conf), lifetime=lifetime)


def main() -> None:
    """Run the command."""
    sys.exit(launch("conductor", build))
