"""Hosts and requests as plain values, and a database with hosts that are up."""

import random
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from mininova import conf, states
from mininova.context import RequestContext
from mininova.db import actions, hosts, instances, request_specs, services
from mininova.db.session import Database
from mininova.objects import ComputeNode, Flavor, ImageMeta, Instance, RequestSpec, Retry, Service
from mininova.scheduler.host_state import HostState
from mininova.scheduler.manager import SchedulerManager
from mininova.scheduler.neighbours import NOBODY

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Listener:
    """Hears notifications."""

    def __init__(self):
        self.heard = []

    def info(self, ctxt, event_type, payload):
        self.heard.append((event_type, payload))


def a_node(host, **fields):
    """Make a compute node with room for two of the flavor, and no overcommit."""
    room = {"vcpus": 8, "memory_mb": 2048, "local_gb": 100, "cpu_allocation_ratio": 1.0, "ram_allocation_ratio": 1.0}
    return ComputeNode(host=host, hypervisor_hostname=f"{host}.cell", **room | fields)


def a_service(host, **fields):
    return Service(
        **{"binary": "nova-compute", "topic": "compute", "availability_zone": "nova", **fields, "host": host}
    )


@pytest.fixture
def a_host_state():
    """Make a host as the scheduler sees it; ``service_fields`` are those of its service."""

    def make(host="host-1", is_up=True, service_fields={}, neighbours=NOBODY, aggregate_metadata={}, **fields):
        return HostState(
            a_node(host, **fields), a_service(host, **service_fields), is_up, neighbours, aggregate_metadata
        )

    return make


@pytest.fixture
def a_spec():
    """Make requests for 1024 MiB, 1 vCPU and 10 GiB."""

    def make(flavor_fields={}, properties={}, tried=(), **fields):
        flavor = Flavor(
            **{"flavor_id": "1", "name": "m1", "memory_mb": 1024, "vcpus": 1, "root_gb": 10, **flavor_fields}
        )
        image = ImageMeta(id="7f3d", name="cirros", properties=properties)
        return RequestSpec(
            **{"flavor": flavor, "image": image, "project_id": "demo", "retry": Retry(hosts=tried), **fields}
        )

    return make


@pytest.fixture
def ctxt():
    return RequestContext(request_id="req-1")


@pytest.fixture
def listener():
    return Listener()


@pytest.fixture
def db(empty_database):
    return empty_database()


@pytest.fixture
def known(db):
    """Register a host whose last heartbeat was just now, or ``silence`` seconds ago."""

    def register(host, silence=0, service_fields={}, **fields):
        with db.write() as tx:
            hosts.report(tx, a_node(host, **fields))
            services.report(tx, a_service(host, **service_fields), NOW - timedelta(seconds=silence))

    return register


@pytest.fixture
def uuids(db, a_spec, ctxt):
    """Make instances that wait for a host, and name them; ``asked`` is what ``a_spec`` takes."""

    def make(count, **asked):
        spec = a_spec(**asked)
        who = {"project_id": "demo", "user_id": "ann", "display_name": "vm", "flavor": spec.flavor}
        state = {"vm_state": states.BUILDING, "task_state": states.SCHEDULING}
        with db.write() as tx:
            made = instances.create(tx, [Instance(uuid=str(uuid4()), **who, **state) for _ in range(count)])
            request_specs.create(tx, [instance.uuid for instance in made], spec)
            actions.start(tx, ctxt, made, "build", due_after=30)
        return [instance.uuid for instance in made]

    return make


@pytest.fixture
def a_scheduler(db, listener):
    """Make schedulers with settings of their own."""

    def make(**settings):
        options = conf.for_tests("scheduler", **settings)
        return SchedulerManager(options, db, listener, dice=random.Random(1), clock=lambda: NOW)

    return make


@pytest.fixture
def scheduler(a_scheduler):
    return a_scheduler()


@pytest.fixture
def twin(db, listener):
    """Make another scheduler, as in another process: it shares only the database."""
    database = Database(db.engine.url.render_as_string(hide_password=False))
    yield SchedulerManager(conf.for_tests("scheduler"), database, listener, clock=lambda: NOW)
    database.close()


@pytest.fixture
def meanwhile(scheduler):
    """Have something happen once, after the scheduler has read the hosts and before it chooses."""

    def make(happen):
        draw = scheduler._hosts.candidates

        def draw_and_be_late(*asked):
            scheduler._hosts.candidates = draw
            candidates = draw(*asked)
            choose = candidates.take_best

            def choose_late(count):
                candidates.take_best = choose
                happen(candidates)
                return choose(count)

            candidates.take_best = choose_late
            return candidates

        scheduler._hosts.candidates = draw_and_be_late

    return make
