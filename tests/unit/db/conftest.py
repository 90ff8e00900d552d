"""A new database for every test, and functions that fill it."""

from uuid import uuid4

import pytest

from mininova import states
from mininova.context import RequestContext
from mininova.db import actions, hosts, instances
from mininova.objects import ComputeNode, Flavor, Instance
from tests.fixtures.every_database import blank, db, race, tx

__all__ = ["blank", "db", "race", "tx"]


@pytest.fixture
def flavor():
    return Flavor(flavor_id="1", name="m1.tiny", memory_mb=512, vcpus=1, root_gb=1)


@pytest.fixture
def an_instance(flavor):
    """Make instances whose build was just requested."""

    def make(**fields):
        who = {"uuid": str(uuid4()), "project_id": "demo", "user_id": "ann", "display_name": "vm", "flavor": flavor}
        return Instance(**{**who, "vm_state": states.BUILDING, "task_state": states.SCHEDULING, **fields})

    return make


@pytest.fixture
def waiting(an_instance):
    """Write instances down that wait for a host, for the request ``req-1``."""

    def make(tx, count=1):
        made = instances.create(tx, [an_instance() for _ in range(count)])
        actions.start(tx, RequestContext(request_id="req-1"), made, "build", due_after=30)
        return made

    return make


@pytest.fixture
def add_host():
    """Register compute nodes without overcommit."""

    def register(tx, host="host-1", **fields):
        room = {
            "vcpus": 8,
            "memory_mb": 4096,
            "local_gb": 100,
            "cpu_allocation_ratio": 1.0,
            "ram_allocation_ratio": 1.0,
        }
        return hosts.report(tx, ComputeNode(host=host, hypervisor_hostname=f"{host}.cell", **{**room, **fields}))

    return register
