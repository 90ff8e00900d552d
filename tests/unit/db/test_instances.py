"""Instances are written, read, changed by compare-and-swap, and marked deleted."""

from datetime import UTC, datetime, timedelta

import pytest

from mininova import errors, states
from mininova.db import instances
from mininova.objects import FixedIP, Flavor
from mininova.states import UNCOMPARED

UNDER_WAY = states.under_way("build")


def swap(tx, instance, changes, expected=UNDER_WAY, **conditions):
    """Compare and swap as a compute node's conductor does."""
    wanted = {"generation": instance.generation, "expected_task_state": expected, **conditions}
    return instances.update(tx, instance.uuid, changes, **wanted)


# ---- create and read


def test_every_field_comes_back_as_it_went_in(tx, an_instance):
    """A row holds all of an instance: nested objects, moments with their zone, and nothing besides."""
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
    """All instances of one request are created at the same moment, which is also that of their last change."""
    first, second = instances.create(tx, [an_instance(), an_instance()])
    assert first.created_at == first.updated_at == second.created_at
    assert first.created_at.tzinfo is UTC


def test_an_instance_may_have_to_belong_to_a_project(tx, an_instance):
    """Somebody else's instance is not found; the error names it."""
    (instance,) = instances.create(tx, [an_instance(project_id="demo")])
    assert instances.get(tx, instance.uuid, project_id="demo") == instance
    with pytest.raises(errors.InstanceNotFound, match=instance.uuid):
        instances.get(tx, instance.uuid, project_id="other")


def test_a_deleted_instance_is_found_on_demand_only(tx, an_instance):
    """A deleted instance is not found, unless the caller asks for deleted ones too."""
    (instance,) = instances.create(tx, [an_instance()])
    instances.destroy(tx, instance.uuid)
    with pytest.raises(errors.InstanceNotFound):
        instances.get(tx, instance.uuid)
    assert instances.get(tx, instance.uuid, deleted=True).vm_state == states.DELETED


def test_several_instances_come_in_the_order_asked_for(tx, an_instance):
    """Those that are gone are left out."""
    first, second, gone = instances.create(tx, [an_instance(), an_instance(), an_instance()])
    instances.destroy(tx, gone.uuid)
    assert instances.get_many(tx, [second.uuid, gone.uuid, first.uuid]) == [second, first]


def test_user_data_is_kept_beside_the_instance(tx, an_instance):
    """User data is read by itself, for those that have any."""
    (with_data,) = instances.create(tx, [an_instance()], user_data="aGk=")
    (without,) = instances.create(tx, [an_instance()])
    assert instances.user_data(tx, [with_data.uuid, without.uuid]) == {with_data.uuid: "aGk="}


def test_a_host_knows_its_own(tx, an_instance):
    """list_by_host gives the instances of one host, and none that was deleted."""
    here, gone, _elsewhere = instances.create(
        tx, [an_instance(host="host-1"), an_instance(host="host-1"), an_instance(host="host-2")]
    )
    instances.destroy(tx, gone.uuid)
    assert instances.list_by_host(tx, "host-1") == [here]


def test_a_host_knows_those_that_it_had_lately(tx, an_instance):
    """Asked for, list_by_host also gives those that were deleted since then."""
    since = datetime(2026, 1, 2, 3, tzinfo=UTC)
    here, lately, before = instances.create(tx, [an_instance(host="host-1") for _ in range(3)])
    instances.destroy(tx, lately.uuid, since)
    instances.destroy(tx, before.uuid, since - timedelta(seconds=1))
    found = instances.list_by_host(tx, "host-1", active_since=since)
    assert [instance.uuid for instance in found] == [here.uuid, lately.uuid]
    assert found[1].terminated_at == since


# ---- edit


def test_an_edit_leaves_the_generation(tx, an_instance):
    """What an owner says of an instance disturbs no operation that is under way."""
    (instance,) = instances.create(tx, [an_instance()])
    edited = instances.edit(tx, instance.uuid, display_name="new", metadata={"k": "v"}, tags=("a",))
    assert (edited.display_name, edited.metadata, edited.tags) == ("new", {"k": "v"}, ("a",))
    assert edited.generation == instance.generation
    assert edited.updated_at > instance.updated_at
    assert instances.get(tx, instance.uuid) == edited


def test_an_edit_of_nothing_is_not_found(tx):
    """Editing an instance that is not there says so."""
    with pytest.raises(errors.InstanceNotFound, match="nobody"):
        instances.edit(tx, "nobody", display_name="new")


def test_an_edit_cannot_change_a_state(tx, an_instance):
    """States go by compare-and-swap only."""
    (instance,) = instances.create(tx, [an_instance()])
    with pytest.raises(TypeError, match="vm_state"):
        instances.edit(tx, instance.uuid, vm_state=states.ACTIVE)


# ---- compare and swap


def test_a_swap_writes_and_counts(tx, an_instance):
    """An update gives the new instance, a generation older and changed now."""
    (instance,) = instances.create(tx, [an_instance()])
    new = swap(tx, instance, {"task_state": states.NETWORKING, "power_state": states.RUNNING})
    assert (new.task_state, new.power_state, new.generation) == (states.NETWORKING, states.RUNNING, 1)
    assert new.updated_at > instance.updated_at
    assert instances.get(tx, instance.uuid) == new


def test_a_late_update_changes_nothing(tx, an_instance):
    """An update that names an older generation is refused, and says what the row holds."""
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
    """None in the list stands for no task; UNCOMPARED accepts any."""
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
    """The row's host is compared in the same statement, None being none yet; what is elsewhere is not found."""
    (instance,) = instances.create(tx, [an_instance(host=host)])
    if accepted:
        assert swap(tx, instance, {"progress": 1}, host=expected).progress == 1
    else:
        with pytest.raises(errors.InstanceNotFound):
            swap(tx, instance, {"progress": 1}, host=expected)


def test_a_delete_wins_and_says_so(tx, an_instance):
    """Whoever goes on with something else learns that the instance is being deleted."""
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
    """Updating an instance that was deleted says that there is none."""
    (instance,) = instances.create(tx, [an_instance()])
    instances.destroy(tx, instance.uuid)
    with pytest.raises(errors.InstanceNotFound):
        swap(tx, instance, {"progress": 1})


@pytest.mark.parametrize("column", ["uuid", "project_id", "generation", "flavor", "colour"])
def test_a_swap_cannot_change_what_an_instance_is(tx, an_instance, column):
    """Whose an instance is, and what is a copy of other rows, is not written; nor is what does not exist."""
    (instance,) = instances.create(tx, [an_instance()])
    with pytest.raises(TypeError, match=column):
        swap(tx, instance, {column: "x"})


def test_one_of_two_racing_updates_wins(race, db, an_instance):
    """Of two updates that name the same generation one is written, and the other is refused."""
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
    """The first one marks the row, with the moment; the second changes nothing."""
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
