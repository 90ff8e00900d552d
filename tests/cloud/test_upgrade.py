"""Services of two versions in one cloud: a rolling upgrade, one service at a time."""

from datetime import UTC, datetime

from mininova.conductor.rpcapi import ConductorAPI
from mininova.db import services
from mininova.objects import Service
from tests.fixtures.cloud import Cloud


def versions(cloud: Cloud, method: str) -> list[str]:
    """Give the versions in which a method was sent since the last look."""
    sent = [event.version for event in cloud.events if event.kind == "sent" and event.method == method]
    cloud.events.clear()
    return sent


def boot_and_delete(cloud: Cloud) -> None:
    """Have a server live and die."""
    uuid = cloud.boot()
    cloud.run()
    assert cloud.show(uuid)["status"] == "ACTIVE"
    cloud.request("DELETE", f"/servers/{uuid}")
    cloud.run()


def register(cloud: Cloud, version: str) -> None:
    """Have a conductor register what it speaks, as its heartbeat does."""
    told = Service(binary="nova-conductor", host="ctl", topic="conductor", versions={"conductor": version})
    with cloud.db.write() as tx:
        services.report(tx, told, datetime.now(UTC))


def relearn(cloud: Cloud) -> None:
    """Have every compute node take its next heartbeat."""
    for host in cloud.computes:
        cloud.learn(cloud.peers[f"compute.{host}"])


def test_computes_that_are_newer_than_their_conductor(cloud: Cloud):
    """They are refused what it does not know, and from then on speak what it does; nobody notices."""
    cloud.pretend_version("conductor", "1.0")
    relearn(cloud)

    boot_and_delete(cloud)

    assert versions(cloud, "destroy_instance") == ["1.0"]


def test_a_conductor_that_is_upgraded_is_spoken_to_as_such(cloud: Cloud):
    """The next heartbeat tells."""
    cloud.pretend_version("conductor", "1.0")
    relearn(cloud)
    cloud.pretend_version("conductor", ConductorAPI.version)
    register(cloud, ConductorAPI.version)
    relearn(cloud)

    boot_and_delete(cloud)

    assert versions(cloud, "destroy_instance") == ["1.1"]


def test_one_old_conductor_of_several_decides(cloud: Cloud):
    """Any of them may get the message."""
    register(cloud, "1.0")
    relearn(cloud)

    boot_and_delete(cloud)

    assert versions(cloud, "destroy_instance") == ["1.0"]
