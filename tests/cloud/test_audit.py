"""mininova-manage audit finds what disagrees in a cloud at work, and --repair mends what can be mended without harm."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, update

from mininova import states
from mininova.db import audit, claims, instances, networks
from mininova.db import models as tables
from mininova.objects import ImageMeta
from tests.fixtures.cloud import Cloud
from tests.fixtures.operations import ask

GONE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def server(cloud: Cloud) -> str:
    """Boot a server on each host, and give the id of the first one."""
    uuids = [cloud.boot() for _ in range(2)]
    cloud.run()
    assert {cloud.instance(uuid).host for uuid in uuids} == {"host-1", "host-2"}
    return uuids[0]


def found(cloud: Cloud, **how: Any) -> list[tuple[str, str | None, str | None, str]]:
    """Audit a cloud; give the kind, the instance, the host and the sentence of each disagreement."""
    code, printed = cloud.audit(**how)
    assert code == (1 if printed["disagreements"] and not how.get("repair") else 0)
    return [(it["what"], it["instance"], it["host"], it["says"]) for it in printed["disagreements"]]


def test_a_cloud_that_agrees(cloud: Cloud, server: str):
    """Nothing is found, and each host that is up was asked."""
    assert cloud.audit() == (0, {"disagreements": [], "asked": ["host-1", "host-2"], "not_asked": []})


@pytest.mark.parametrize("operation", states.OPERATIONS)
@pytest.mark.parametrize("delivered", range(3))
def test_a_cloud_at_work_agrees(cloud: Cloud, operation: str, delivered: int):
    """What is under way is no disagreement, at any step of it."""
    ask(cloud, operation)
    for _ in range(delivered):
        cloud.broker.deliver_one()
    assert found(cloud) == []


def test_a_host_that_is_down_is_named(cloud: Cloud, server: str):
    """It cannot be asked for its guests, and what is missing there is not said to be missing."""
    cloud.lose_host("host-2")
    code, printed = cloud.audit()
    assert (code, printed["asked"]) == (0, ["host-1"])
    assert printed["not_asked"] == [{"host": "host-2", "why": "it is down"}]


def test_a_host_of_the_first_release_is_named(cloud: Cloud, server: str):
    """It does not know the question."""
    cloud.pretend_version("compute", "1.0")
    code, printed = cloud.audit()
    assert (code, printed["asked"]) == (0, [])
    assert ["it speaks ComputeAPI 1.0" in it["why"] for it in printed["not_asked"]] == [True, True], printed


# ---- the database


def other(cloud: Cloud, uuid: str) -> str:
    """Name the host that a server is not on."""
    return "host-2" if cloud.instance(uuid).host == "host-1" else "host-1"


def spoil(statement: Any) -> Callable[[Cloud, str], None]:
    """Make a function that changes the database behind the back of the services."""

    def spoiled(cloud: Cloud, uuid: str) -> None:
        with cloud.db.write() as tx:
            tx.execute(statement(cloud, uuid) if callable(statement) else statement)

    return spoiled


def leave_a_claim(cloud: Cloud, uuid: str) -> None:
    """Claim room for an instance that is not there."""
    with cloud.db.write() as tx:
        assert claims.claim(tx, GONE, "host-1", instances.get(tx, uuid).flavor)


def leave_an_address(cloud: Cloud, uuid: str) -> None:
    """Lend an address to an instance that is not there."""
    with cloud.db.write() as tx:
        networks.allocate(tx, "flat", "10.0.0.0/16", GONE)


def wait_for_ever(cloud: Cloud, uuid: str) -> None:
    """Have an address wait for a host that is not there."""
    leave_an_address(cloud, uuid)
    with cloud.db.write() as tx:
        networks.free(tx, GONE, guest_on="host-9")


def claim_elsewhere(cloud: Cloud, uuid: str) -> None:
    """Have the claim of an instance be on another host than the instance."""
    with cloud.db.write() as tx:
        assert claims.put(tx, uuid, other(cloud, uuid), instances.get(tx, uuid).flavor)


def lose_the_claim(cloud: Cloud, uuid: str) -> None:
    """Free the claim of an instance that runs."""
    with cloud.db.write() as tx:
        assert claims.free(tx, uuid)


def forget_the_end(cloud: Cloud, uuid: str) -> None:
    """Leave an operation open that has ended."""
    cloud.act(uuid, "os-stop")
    spoil(update(tables.instances).where(tables.instances.c.uuid == uuid).values(task_state=None))(cloud, uuid)
    cloud.lose_messages()


def mark_deleted(cloud: Cloud, uuid: str) -> None:
    """Leave the operation of an instance open that is gone, its claim and its address."""
    cloud.act(uuid, "os-stop")
    spoil(update(tables.instances).where(tables.instances.c.uuid == uuid).values(deleted=True))(cloud, uuid)
    cloud.lose_messages()


nodes = update(tables.compute_nodes).where(tables.compute_nodes.c.host == "host-1")

MENDED = {
    "a claim without an instance": (leave_a_claim, ["claim"], "freed its claim on host-1"),
    "a claim on another host": (claim_elsewhere, ["claim"], "claimed its room on"),
    "no claim": (lose_the_claim, ["claim"], "claimed its room on"),
    "a wrong sum": (spoil(nodes.values(vcpus_used=7)), ["room"], "counted its claims"),
    "an address without an instance": (leave_an_address, ["address"], "freed its address"),
    "an address that waits for no host": (wait_for_ever, ["address"], "lends these addresses again"),
    "an operation that has ended": (forget_the_end, ["operation"], "closed the operation"),
}


@pytest.mark.parametrize(("spoil", "what", "repair"), MENDED.values(), ids=MENDED)
def test_what_can_be_mended(cloud: Cloud, server: str, spoil: Any, what: list[str], repair: str):
    """It is found, named and mended, and then nothing disagrees any more."""
    spoil(cloud, server)
    assert [it[0] for it in found(cloud)] == what
    code, printed = cloud.audit(repair=True)
    assert code == 0
    assert [it["repair"].startswith(repair) for it in printed["disagreements"]] == [True] * len(what), printed
    assert found(cloud) == []


def test_an_instance_that_is_gone(cloud: Cloud, server: str):
    """All that it left is mended: its claim, its address, its operation and its guest."""
    host = cloud.instance(server).host
    mark_deleted(cloud, server)
    assert [it[:2] for it in found(cloud)] == [(what, server) for what in ("claim", "address", "operation", "guest")]
    code, _ = cloud.audit(repair=True)
    assert code == 0
    assert cloud.computes[str(host)].driver.list_instance_uuids() == []


def show_another_address(cloud: Cloud, uuid: str) -> None:
    """Take the row of an address away, so that another instance can get it."""
    spoil(delete(tables.ports).where(tables.ports.c.instance_uuid == uuid))(cloud, uuid)


def begin_without_record(cloud: Cloud, uuid: str) -> None:
    """Set a task of which there is no record."""
    spoil(update(tables.instances).where(tables.instances.c.uuid == uuid).values(task_state="powering-off"))(
        cloud, uuid
    )


@pytest.mark.parametrize(
    ("spoil", "what", "says"),
    [
        (show_another_address, "address", "shows the address 10.0.0."),
        (begin_without_record, "operation", "is powering-off, and no operation is open that would end it"),
    ],
)
def test_what_a_person_decides(cloud: Cloud, server: str, spoil: Any, what: str, says: str):
    """It is named, and stays as it is; the exit code says that something disagrees still."""
    spoil(cloud, server)
    ((kind, uuid, _, said),) = found(cloud)
    assert (kind, uuid, said.startswith(says)) == (what, server, True), said
    code, printed = cloud.audit(repair=True)
    assert (code, [it["repair"] for it in printed["disagreements"]]) == (1, ["not repaired: decide by hand"])


def test_what_ends_while_it_is_mended(cloud: Cloud, server: str):
    """What agrees by the time that it is mended is left alone."""
    leave_a_claim(cloud, server)
    with cloud.db.write() as tx:
        ((check, it),) = audit.find(tx)
        claims.free(tx, GONE)
        assert check.mend is not None
        assert check.mend(tx, it) == ""


# ---- guests


def test_what_ends_while_it_is_looked_for(cloud: Cloud, server: str, monkeypatch: pytest.MonkeyPatch):
    """A guest that the host has when it is asked, and not when it is asked again, was about to be destroyed."""
    answers = iter([[GONE], []])
    monkeypatch.setattr(cloud.computes["host-1"].driver, "list_instance_uuids", lambda: next(answers))
    with cloud.db.write() as tx:  # so that the host has no other
        tx.execute(update(tables.instances).values(task_state="deleting"))
    assert [it for it in found(cloud) if it[0] == "guest"] == []


def test_a_guest_without_an_instance(cloud: Cloud, server: str):
    """It is found, and its host destroys it."""
    driver = cloud.computes["host-1"].driver
    driver.spawn(cloud.instance(server).replace(uuid=GONE), ImageMeta(id=cloud.image))
    assert found(cloud) == [("guest", GONE, "host-1", "has a guest there, and is not there")]
    assert len(found(cloud, repair=True)) == 1
    assert GONE not in driver.list_instance_uuids()


def test_an_instance_without_a_guest(cloud: Cloud, server: str):
    """It is found, and its host writes it down."""
    host = str(cloud.instance(server).host)
    cloud.computes[host].driver.destroy(server)
    assert found(cloud) == [("guest", server, host, "is active, and has no guest")]
    assert len(found(cloud, repair=True)) == 1
    assert cloud.show(server)["status"] == "ERROR"


def test_what_a_host_does_not_mend(make_cloud: Callable[..., Cloud]):
    """A guest that cannot be destroyed is still there, and the exit code says so."""
    cloud = make_cloud(hosts=("host-1",), behaviour="[{operation: destroy, failure: {}}]")
    uuid = cloud.boot()
    cloud.run()
    driver = cloud.computes["host-1"].driver
    driver.spawn(cloud.instance(uuid).replace(uuid=GONE), ImageMeta(id=cloud.image))
    assert cloud.audit(repair=True)[0] == 1
