"""A conductor on a real database, between a scheduler and computes that the test plays."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from mininova import conf, rpc, states
from mininova.conductor.build import BuildTask
from mininova.conductor.manager import ConductorManager
from mininova.context import RequestContext
from mininova.db import actions, claims, hosts, instances, request_specs, services
from mininova.objects import ComputeNode, Flavor, ImageMeta, Instance, RequestSpec, Selection, Service
from mininova.states import UNCOMPARED
from mininova.trust.identities import compute

FLAVOR = Flavor(flavor_id="1", name="m1.tiny", memory_mb=512, vcpus=1, root_gb=1)


def selection(host):
    """Name a host as the scheduler would."""
    return Selection(host=host, node=host, availability_zone="nova")


class Scheduler:
    """Answers as the test wants: the same hosts for each instance, with a claim on the first; or an error."""

    def __init__(self, db):
        self.db, self.hosts, self.error, self.asked = db, [], None, []

    def select_destinations(self, ctxt, request_spec, instance_uuids):
        self.asked.append(instance_uuids)
        if self.error:
            raise self.error
        with self.db.write() as tx:
            for uuid in instances.without_host(tx, instance_uuids):
                claims.claim(tx, uuid, self.hosts[0], request_spec.flavor)
        return [[selection(host) for host in self.hosts] for _ in instance_uuids]


class Computes:
    """Takes builds, except for hosts without a queue."""

    def __init__(self):
        self.builds, self.away = [], set()

    def on(self, host):
        self.host = host
        return self

    def build_instance(self, ctxt, instance, image, has_volumes=False):
        if self.host in self.away:
            raise rpc.Undeliverable(f"nothing serves compute.{self.host}")
        self.builds.append((self.host, instance, image, ctxt))


class Notifier:
    """Remembers its notifications."""

    def __init__(self):
        self.heard, self.told = [], []

    def info(self, ctxt, event_type, payload):
        self.heard.append((event_type, payload))
        self.told.append((ctxt, event_type))

    error = info


class World:
    """A conductor, with its database and the services around it."""

    def __init__(self, db):
        self.db, self.ctxt = db, RequestContext(project_id="demo")
        self.scheduler, self.computes, self.notifier = Scheduler(db), Computes(), Notifier()
        settings = conf.for_tests("conductor")
        self.builds = BuildTask(settings, db, self.scheduler, self.computes, self.notifier)
        self.manager = ConductorManager(settings, db, self.builds, self.notifier)
        self.spec = RequestSpec(flavor=FLAVOR, image=ImageMeta(id="i"), project_id="demo")

    def checked(self, **how):
        """Make a conductor that tells callers apart; each caller acts for host-1."""
        return ConductorManager(
            self.manager.conf, self.db, self.builds, self.notifier, lambda name: compute("host-1"), **how
        )

    def add_host(self, name, memory_mb=1024):
        """Register a compute node without overcommit."""
        node = ComputeNode(
            host=name, hypervisor_hostname=name, vcpus=8, memory_mb=memory_mb, local_gb=100, ram_allocation_ratio=1.0
        )
        with self.db.write() as tx:
            hosts.report(tx, node)
            compute = Service(binary="nova-compute", host=name, topic="compute")
            services.report(tx, compute, datetime.now(UTC))

    def used(self, host):
        """Give the MiB that are claimed on a host."""
        with self.db.read() as tx:
            return next(node.memory_mb_used for node in hosts.search(tx) if node.host == host)

    def new(self, **fields):
        """Insert an instance whose build was just requested."""
        who = {"uuid": str(uuid4()), "project_id": "demo", "user_id": "ann", "display_name": "vm", "flavor": FLAVOR}
        instance = Instance(**{**who, "vm_state": states.BUILDING, "task_state": states.SCHEDULING, **fields})
        with self.db.write() as tx:
            (made,) = instances.create(tx, [instance])
            request_specs.create(tx, [made.uuid], self.spec)
            actions.start(tx, self.ctxt, [made], "build", made.host, due_after=30)
        return made

    def row(self, uuid):
        """Read an instance."""
        with self.db.read() as tx:
            return instances.get(tx, uuid, deleted=True)

    def change(self, instance, **changes):
        """Change an instance, as another service would."""
        with self.db.write() as tx:
            return instances.update(tx, instance.uuid, changes, generation=UNCOMPARED, expected_task_state=UNCOMPARED)


@pytest.fixture
def world(empty_database):
    return World(empty_database())
