"""An instance that its owner deleted can be restored for a while, where the operator wants it so."""

from datetime import UTC, datetime, timedelta

import pytest

from mininova import conf, states
from mininova.conductor.reclaim import Reclaimer
from tests.fixtures.cloud import Cloud
from tests.fixtures.operations import again, ready_for


class Unheard:
    """Takes notifications."""

    def info(self, ctxt: object, event_type: str, payload: object) -> None:
        """Forget it."""


def reclaim(cloud: Cloud, *, later: float) -> None:
    """Have a conductor look for what can be restored no longer, some seconds later, and end what it begins."""
    settings = conf.for_tests("conductor", **{"operations.reclaim_instance_interval": 60})
    clock = lambda: datetime.now(UTC) + timedelta(seconds=later)  # noqa: E731
    Reclaimer(settings, cloud.db, Unheard(), clock).reclaim()
    cloud.sweep()


def listed(cloud: Cloud) -> list[str]:
    """List the servers that their owner sees."""
    return [server["id"] for server in cloud.request("GET", "/servers").json["servers"]]


@pytest.fixture
def deleted(cloud: Cloud) -> str:
    """Boot a server and delete it."""
    uuid = ready_for(cloud, "soft_delete")
    again(cloud, "soft_delete", uuid)
    cloud.run()
    return uuid


def test_its_guest_is_kept_stopped(cloud: Cloud, deleted: str) -> None:
    """Its owner sees the status, and lists leave it out."""
    assert cloud.show(deleted)["status"] == "SOFT_DELETED"
    assert listed(cloud) == []
    instance = cloud.instance(deleted)
    assert cloud.computes[instance.host].driver.get_info(instance) == states.SHUTDOWN


def test_it_can_be_asked_for(cloud: Cloud, deleted: str) -> None:
    """A list of this status has it."""
    servers = cloud.request("GET", "/servers?status=SOFT_DELETED").json["servers"]
    assert [server["id"] for server in servers] == [deleted]


def test_restored(cloud: Cloud, deleted: str) -> None:
    """It runs, and is listed again."""
    again(cloud, "restore", deleted)
    cloud.run()
    assert (cloud.show(deleted)["status"], listed(cloud)) == ("ACTIVE", [deleted])


def test_what_was_not_restored_in_time_is_deleted(cloud: Cloud, deleted: str) -> None:
    """Its guest, its room and its address go with it."""
    host = cloud.instance(deleted).host
    reclaim(cloud, later=59)
    assert cloud.instance(deleted).vm_state == states.SOFT_DELETED
    reclaim(cloud, later=61)
    assert cloud.request("GET", f"/servers/{deleted}").status_code == 404
    assert cloud.computes[host].driver.list_instance_uuids() == []
    assert cloud.audit()[0] == 0


def test_what_was_restored_is_not_reclaimed(cloud: Cloud, deleted: str) -> None:
    """However long ago it was deleted."""
    again(cloud, "restore", deleted)
    cloud.run()
    reclaim(cloud, later=3600)
    assert cloud.show(deleted)["status"] == "ACTIVE"


def test_a_host_that_is_down_does_not_keep_it(cloud: Cloud, deleted: str) -> None:
    """The delete ends without the host, which finds out when it is back."""
    cloud.lose_host(cloud.instance(deleted).host)
    reclaim(cloud, later=61)
    assert cloud.request("GET", f"/servers/{deleted}").status_code == 404


def test_a_delete_for_good_stands(cloud: Cloud) -> None:
    """A delete that can be taken back does not take the place of one that cannot."""
    uuid = ready_for(cloud, "delete")
    again(cloud, "delete", uuid)
    again(cloud, "soft_delete", uuid)
    cloud.run()
    assert cloud.request("GET", f"/servers/{uuid}").status_code == 404


def test_a_second_delete_changes_nothing(cloud: Cloud) -> None:
    """While the first is under way."""
    uuid = ready_for(cloud, "soft_delete")
    again(cloud, "soft_delete", uuid)
    again(cloud, "soft_delete", uuid)
    cloud.run()
    assert cloud.show(uuid)["status"] == "SOFT_DELETED"


def test_what_never_ran_is_deleted_at_once(cloud: Cloud) -> None:
    """There is nothing of it to be restored."""
    uuid = cloud.boot()
    again(cloud, "soft_delete", uuid)
    cloud.run()
    assert cloud.request("GET", f"/servers/{uuid}").status_code == 404
