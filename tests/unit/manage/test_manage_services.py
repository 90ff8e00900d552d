"""mininova-manage service."""

import json
from datetime import UTC, datetime

import pytest

from mininova import errors
from mininova.db import hosts, instances
from mininova.manage import services
from mininova.objects import Flavor, Instance

FLAVOR = Flavor(flavor_id="1", name="m1.tiny", memory_mb=512, vcpus=1, root_gb=1)


def test_list(run, register):
    """Each service is shown with its state and the time of its last heartbeat."""
    ahead = -30  # so that it is still 0 s ago when the test has taken a while
    up, down = register("host-1", ago=ahead), register("host-2", ago=3600 * 3, disabled=True)
    _, first, second = run(services.show)
    assert first.split() == ["nova-compute", "host-1", "nova", "enabled", "up", "0", "s", "ago", up.uuid]
    assert second.split() == ["nova-compute", "host-2", "nova", "disabled", "down", "3", "h", "ago", down.uuid]


def test_list_as_json(run, register):
    """As JSON, each service is an object with the time of its last heartbeat."""
    service = register("host-1", disabled=True)
    (told,) = json.loads("\n".join(run(services.show, format="json")))
    assert (told["id"], told["state"], told["enabled"]) == (service.uuid, "up", False)
    assert datetime.fromisoformat(told["last_heard_of"]) <= datetime.now(UTC)


def test_no_service_yet(run, db):
    """Without a service, the command says how to add one."""
    (line,) = run(services.show)
    assert "first heartbeat" in line


def test_delete(run, register, db):
    """A service that is down is deleted with its host's capacity."""
    register("host-1", ago=600)
    assert run(services.delete, service="nova-compute@host-1") == ["forgot nova-compute@host-1"]
    with db.read() as tx:
        assert services.services.search(tx) == []
        assert hosts.search(tx) == []


def test_delete_by_id(run, register):
    """A service can be named by its id."""
    service = register("host-1", ago=600)
    assert run(services.delete, service=service.uuid) == ["forgot nova-compute@host-1"]


def test_delete_refuses_one_that_is_up(run, register):
    """A service that is up would register again, and is not deleted."""
    register("host-1")
    with pytest.raises(errors.Conflict, match="Stop it first"):
        run(services.delete, service="nova-compute@host-1")


def test_delete_refuses_a_host_with_instances(run, register, db):
    """The service of a host with instances is not deleted."""
    register("host-1", ago=600)
    instance = Instance(
        uuid="00000000-0000-4000-8000-000000000000", project_id="p", user_id="u", display_name="web-1",
        vm_state="active", flavor=FLAVOR, host="host-1",
    )  # fmt: skip
    with db.write() as tx:
        instances.create(tx, [instance])
    with pytest.raises(errors.Conflict, match="web-1"):
        run(services.delete, service="nova-compute@host-1")


@pytest.mark.parametrize("asked", ["nova-compute@host-9", "17", "no-such-uuid"])
def test_delete_of_an_unknown_service(run, db, asked: str):
    """The error names the service that does not exist."""
    with pytest.raises(errors.ServiceNotFound, match=asked):
        run(services.delete, service=asked)
