"""Instances are written, read, changed by compare-and-swap, and marked deleted."""

import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest

from mininova import errors, states
from mininova.db import instances
from mininova.objects import FixedIP, Flavor
from mininova.states import UNCOMPARED
from tests.fixtures.statements import counted

UNDER_WAY = states.under_way("build")


def swap(tx, instance, changes, expected=UNDER_WAY, **conditions):
    """Compare and swap as a compute node's conductor does."""
    wanted = {"generation": instance.generation, "expected_task_state": expected, **conditions}
    return instances.update(tx, instance.uuid, changes, **wanted)


# ---- create and read


def test_every_field_comes_back_as_it_went_in(tx, an_instance):
    """A row holds every field of an instance: nested objects, and moments with their zone."""
    moment = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
    instance = an_instance(
        generation=3,
        power_state=states.RUNNING,
        host="host-1",
        node="host-1.cell",
        availability_zone="nova",
        requested_zone="nova",
        display_description="words",
        hostname="vm",
        image_ref="7f3d",
        key_name="key",
        reservation_id="r-1",
        launch_index=2,
        networks="none",
        addresses=(FixedIP(address="10.0.0.2", network="flat", mac_address="fa:16:3e:00:00:02"),),
        metadata={"a": "b"},
        config_drive=True,
        locked=True,
        locked_by="owner",
        locked_reason="because",
        disk_config="MANUAL",
        tags=("red", "blue"),
        access_ip_v4="1.2.3.4",
        access_ip_v6="::1",
        root_device_name="/dev/sda",
        progress=50,
        created_at=moment,
        launched_at=moment,
        terminated_at=moment,
    )
    (created,) = instances.create(tx, [instance])
    assert created == instance.replace(updated_at=created.updated_at)
    assert instances.get(tx, instance.uuid) == created


def test_creation_is_a_moment(tx, an_instance):
    """All instances of one request have the same moment of creation and of last change."""
    first, second = instances.create(tx, [an_instance(), an_instance()])
    assert first.created_at == first.updated_at == second.created_at
    assert first.created_at.tzinfo is UTC


def test_an_instance_can_be_read_for_its_project_only(tx, an_instance):
    """Another project's instance is not found; the error names it."""
    (instance,) = instances.create(tx, [an_instance(project_id="demo")])
    assert instances.get(tx, instance.uuid, project_id="demo") == instance
    with pytest.raises(errors.InstanceNotFound, match=instance.uuid):
        instances.get(tx, instance.uuid, project_id="other")


def test_a_deleted_instance_is_found_on_demand_only(tx, an_instance):
    """A deleted instance is found only if the caller asks for deleted ones."""
    (instance,) = instances.create(tx, [an_instance()])
    instances.destroy(tx, instance.uuid)
    with pytest.raises(errors.InstanceNotFound):
        instances.get(tx, instance.uuid)
    assert instances.get(tx, instance.uuid, deleted=True).vm_state == states.DELETED


def test_several_instances_come_in_the_order_asked_for(tx, an_instance):
    """Missing instances are left out."""
    first, second, gone = instances.create(tx, [an_instance(), an_instance(), an_instance()])
    instances.destroy(tx, gone.uuid)
    assert instances.get_many(tx, [second.uuid, gone.uuid, first.uuid]) == [second, first]


def test_user_data_is_kept_beside_the_instance(tx, an_instance):
    """User data is read separately, for instances that have any."""
    (with_data,) = instances.create(tx, [an_instance()], user_data="aGk=")
    (without,) = instances.create(tx, [an_instance()])
    assert instances.user_data(tx, [with_data.uuid, without.uuid]) == {with_data.uuid: "aGk="}


def test_the_instances_of_a_host(tx, an_instance):
    """list_by_host gives the instances of one host without deleted ones."""
    here, gone, _elsewhere = instances.create(
        tx, [an_instance(host="host-1"), an_instance(host="host-1"), an_instance(host="host-2")]
    )
    instances.destroy(tx, gone.uuid)
    assert instances.list_by_host(tx, "host-1") == [here]


def test_the_recently_deleted_instances_of_a_host(tx, an_instance):
    """list_by_host can also give those deleted since a moment."""
    since = datetime(2026, 1, 2, 3, tzinfo=UTC)
    here, lately, before = instances.create(tx, [an_instance(host="host-1") for _ in range(3)])
    instances.destroy(tx, lately.uuid, since)
    instances.destroy(tx, before.uuid, since - timedelta(seconds=1))
    found = {it.uuid: it for it in instances.list_by_host(tx, "host-1", active_since=since)}
    assert found.keys() == {here.uuid, lately.uuid}
    assert found[lately.uuid].terminated_at == since


def test_the_instances_of_a_host_page_by_page(tx, an_instance):
    """list_by_host gives those after a marker, as many as are wanted, sorted by their uuids."""
    uuids = sorted(it.uuid for it in instances.create(tx, [an_instance(host="host-1") for _ in range(3)]))
    first = instances.list_by_host(tx, "host-1", limit=2)
    second = instances.list_by_host(tx, "host-1", marker=first[-1].uuid, limit=2)
    assert [[it.uuid for it in page] for page in (first, second)] == [uuids[:2], uuids[2:]]


# ---- edit


def test_an_edit_leaves_the_generation(tx, an_instance):
    """A user's edit does not disturb an operation that is under way."""
    (instance,) = instances.create(tx, [an_instance()])
    edited = instances.edit(tx, instance.uuid, display_name="new", metadata={"k": "v"}, tags=("a",))
    assert (edited.display_name, edited.metadata, edited.tags) == ("new", {"k": "v"}, ("a",))
    assert edited.generation == instance.generation
    assert edited.updated_at > instance.updated_at
    assert instances.get(tx, instance.uuid) == edited


def test_an_edit_of_nothing_is_not_found(tx):
    """An edit of a missing instance is an error."""
    with pytest.raises(errors.InstanceNotFound, match="nobody"):
        instances.edit(tx, "nobody", display_name="new")


def test_an_edit_cannot_change_a_state(tx, an_instance):
    """States change by compare-and-swap only."""
    (instance,) = instances.create(tx, [an_instance()])
    with pytest.raises(TypeError, match="vm_state"):
        instances.edit(tx, instance.uuid, vm_state=states.ACTIVE)


# ---- compare and swap


def test_a_swap_writes_and_counts(tx, an_instance):
    """An update gives the new instance, with the next generation and a new time of change."""
    (instance,) = instances.create(tx, [an_instance()])
    new = swap(tx, instance, {"task_state": states.NETWORKING, "power_state": states.RUNNING})
    assert (new.task_state, new.power_state, new.generation) == (states.NETWORKING, states.RUNNING, 1)
    assert new.updated_at > instance.updated_at
    assert instances.get(tx, instance.uuid) == new


def test_a_late_update_changes_nothing(tx, an_instance):
    """An update on an older generation is refused, and the error has the row's values."""
    (instance,) = instances.create(tx, [an_instance()])
    new = swap(tx, instance, {"task_state": states.NETWORKING})
    with pytest.raises(errors.InstanceUpdateConflict) as caught:
        swap(tx, instance, {"task_state": states.SPAWNING})
    assert caught.value.details == {
        "instance_uuid": instance.uuid,
        "expected": list(UNDER_WAY),
        "generation": 0,
        "actual_task_state": states.NETWORKING,
        "actual_generation": 1,
        "actual_host": None,
    }
    assert instances.get(tx, instance.uuid) == new


@pytest.mark.parametrize(
    ("task_state", "expected", "accepted"),
    [
        (None, [None], True),
        (None, [None, states.REBOOTING], True),
        (states.REBOOTING, [None, states.REBOOTING], True),
        (states.REBOOTING, [None], False),
        (None, [states.REBOOTING], False),
        (None, [], False),
        (states.REBOOTING, UNCOMPARED, True),
    ],
)
def test_the_task_state_must_be_an_expected_one(tx, an_instance, task_state, expected, accepted):
    """None in the list means no task; UNCOMPARED accepts any."""
    (instance,) = instances.create(tx, [an_instance(task_state=task_state)])
    if accepted:
        assert swap(tx, instance, {"progress": 1}, expected).progress == 1
    else:
        with pytest.raises(errors.InstanceUpdateConflict):
            swap(tx, instance, {"progress": 1}, expected)


@pytest.mark.parametrize(
    ("host", "expected", "accepted"),
    [
        ("host-1", "host-1", True),
        ("host-1", "host-2", False),
        ("host-1", None, False),
        (None, None, True),
        (None, "host-1", False),
    ],
)
def test_the_host_must_be_the_callers(tx, an_instance, host, expected, accepted):
    """The same statement compares the row's host, None for none yet; an instance elsewhere is not found."""
    (instance,) = instances.create(tx, [an_instance(host=host)])
    if accepted:
        assert swap(tx, instance, {"progress": 1}, host=expected).progress == 1
    else:
        with pytest.raises(errors.InstanceNotFound):
            swap(tx, instance, {"progress": 1}, host=expected)


def test_a_delete_wins_and_says_so(tx, an_instance):
    """An update of an instance that is being deleted gets an error that says so."""
    (instance,) = instances.create(tx, [an_instance()])
    deleting = instances.update(
        tx, instance.uuid, states.begin("delete", instance), generation=UNCOMPARED, expected_task_state=UNCOMPARED
    )
    with pytest.raises(errors.InstanceBeingDeleted):
        swap(tx, instance, {"task_state": states.SPAWNING})
    with pytest.raises(errors.InstanceUpdateConflict) as caught:
        swap(tx, instance, {"vm_state": states.ERROR}, [states.DELETING])
    assert not isinstance(caught.value, errors.InstanceBeingDeleted)
    assert instances.get(tx, instance.uuid) == deleting


def test_a_swap_of_nothing_is_not_found(tx, an_instance):
    """An update of a deleted instance is InstanceNotFound."""
    (instance,) = instances.create(tx, [an_instance()])
    instances.destroy(tx, instance.uuid)
    with pytest.raises(errors.InstanceNotFound):
        swap(tx, instance, {"progress": 1})


@pytest.mark.parametrize("column", ["uuid", "project_id", "generation", "addresses", "colour"])
def test_a_swap_cannot_change_what_an_instance_is(tx, an_instance, column):
    """An update cannot write the owner, copies of other rows, or unknown columns."""
    (instance,) = instances.create(tx, [an_instance()])
    with pytest.raises(TypeError, match=column):
        swap(tx, instance, {column: "x"})


@pytest.fixture
def known(db, an_instance):
    """Make an instance that its writer knows."""
    with db.write() as tx:
        (made,) = instances.create(tx, [an_instance()])
    return made


def test_what_is_known_is_not_read_again(db, known):
    """The instance is as a SELECT would give it, a moment of another zone included."""
    tomorrow = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=timezone(timedelta(hours=2)))
    with db.write() as tx, counted(db) as statements:
        swapped = swap(tx, known, {"task_state": states.SPAWNING, "launched_at": tomorrow}, known=known, host=None)
    assert len(statements) == 1
    assert "RETURNING" not in statements[0]
    assert swapped.launched_at.tzinfo is UTC
    with db.read() as tx:
        assert instances.get(tx, known.uuid) == swapped


def test_an_edit_is_seen_by_one_who_knows_an_instance(db, known):
    """An edit leaves the generation as it is, and what is known is not so any more."""
    with db.write() as tx:
        instances.edit(tx, known.uuid, display_name="new")
    with db.write() as tx:
        assert swap(tx, known, {"progress": 1}, known=known).display_name == "new"


def test_what_is_known_must_be_so(db, known):
    """One that knows an old generation is refused, and one that knows another generation than it compares reads."""
    with db.write() as tx:
        later = swap(tx, known, {"progress": 1})
    with db.write() as tx, pytest.raises(errors.InstanceUpdateConflict):
        swap(tx, known, {"progress": 2}, known=known)
    with db.write() as tx:
        assert swap(tx, later, {"power_state": states.RUNNING}, known=known).progress == 1


def test_one_of_two_racing_updates_wins(race, db, an_instance):
    """Of two updates with the same generation one is written, and the other is refused."""
    with db.write() as tx:
        (instance,) = instances.create(tx, [an_instance()])
    results = race(lambda tx, progress: swap(tx, instance, {"progress": progress}), 10, 20)
    (winner,) = [result for result in results if not isinstance(result, Exception)]
    (loser,) = [result for result in results if isinstance(result, Exception)]
    assert type(loser) is errors.InstanceUpdateConflict
    with db.read() as tx:
        assert instances.get(tx, instance.uuid) == winner


# ---- destroy


def test_destroying_twice_is_destroying_once(tx, an_instance):
    """The first call marks the row with the moment; the second changes nothing."""
    (instance,) = instances.create(tx, [an_instance(task_state=states.DELETING)])
    gone = instances.destroy(tx, instance.uuid)
    assert (gone.vm_state, gone.task_state, gone.generation) == (states.DELETED, None, 1)
    assert gone.terminated_at == gone.updated_at
    assert instances.destroy(tx, instance.uuid) is None
    assert instances.get(tx, instance.uuid, deleted=True) == gone


def test_flavors_that_are_the_same_are_one_object(tx, an_instance):
    """A thousand instances of one flavor do not hold a thousand flavors."""
    big = Flavor(flavor_id="2", name="big", memory_mb=1, vcpus=1, root_gb=1)
    written = instances.create(tx, [an_instance(flavor=big), an_instance(flavor=big)])
    first, second = instances.get_many(tx, [instance.uuid for instance in written])
    assert first.flavor is second.flavor


def test_racing_changes_of_security_groups_both_stay(race, db, an_instance):
    """Who reads them to change them has the row, also of an instance that has the default group only."""
    with db.write() as tx:
        (instance,) = instances.create(tx, [an_instance()])
    both_have_read = threading.Barrier(2)

    def add(tx, group):
        present = instances.security_groups(tx, [instance.uuid], lock=True).get(instance.uuid, ())
        with suppress(threading.BrokenBarrierError):
            both_have_read.wait(0.5)  # which the one that has the row waits for in vain
        instances.set_security_groups(tx, instance.uuid, [*present, group])

    race(add, "a", "b")
    with db.read() as tx:
        assert sorted(instances.security_groups(tx, [instance.uuid])[instance.uuid]) == ["a", "b"]
