"""Lists of instances: each filter, the order, and complete pages."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event

from mininova import errors, states
from mininova.db import instances, networks
from mininova.db.instance_search import InstanceFilter, ran_between, search
from mininova.states import UNCOMPARED
from tests.fixtures.private_databases import SQLITE

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def fleet(tx, an_instance, flavor):
    """Make three instances that differ in everything, by name."""
    big = flavor.replace(flavor_id="2", name="m1.big", memory_mb=1024, vcpus=2)
    web = an_instance(
        uuid="uuid-web",
        display_name="web",
        display_description="serves pages",
        hostname="web",
        vm_state=states.ACTIVE,
        task_state=None,
        power_state=states.RUNNING,
        host="host-1",
        node="host-1.cell",
        availability_zone="nova",
        key_name="key",
        image_ref="cirros",
        reservation_id="r-1",
        tags=("red", "blue"),
        locked=True,
        locked_by="owner",
        access_ip_v4="1.2.3.4",
        launched_at=NEW_YEAR + timedelta(milliseconds=5),
    )
    db = an_instance(
        uuid="uuid-db",
        display_name="db.1",
        project_id="other",
        user_id="bob",
        task_state=states.SPAWNING,
        flavor=big,
        tags=("red",),
        config_drive=True,
        launch_index=1,
        progress=50,
        access_ip_v6="fd00::1",
        root_device_name="/dev/sda",
    )
    old = an_instance(uuid="uuid-old", display_name="old")
    instances.create(tx, [web, db, old], user_data=None)
    instances.destroy(tx, "uuid-old")
    networks.allocate(tx, "flat", "10.0.0.0/24", "uuid-web")
    networks.allocate(tx, "six", "fd00::/64", "uuid-db")


def found(tx, sort=(("id", "asc"),), limit=None, marker=None, **wanted):
    listed = search(tx, InstanceFilter(**wanted), sort=sort, limit=limit, marker=marker)
    return " ".join(instance.uuid.removeprefix("uuid-") for instance in listed)


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({}, "web db"),
        ({"deleted": True}, "old"),
        ({"deleted": None}, "web db old"),
        ({"project_id": "demo"}, "web"),
        ({"user_id": "bob"}, "db"),
        ({"host": "host-1"}, "web"),
        ({"host": "host"}, ""),
        ({"flavor_id": "2"}, "db"),
        ({"image_ref": "cirros"}, "web"),
        ({"reservation_id": "r-1"}, "web"),
        ({"locked": True}, "web"),
        ({"locked": False}, "db"),
        ({"config_drive": True}, "db"),
        ({"power_state": str(states.NOSTATE)}, "db"),
        ({"progress": "^50$"}, "db"),
        ({"launch_index": "0"}, "web"),
        ({"display_name": "e"}, "web"),
        ({"display_name": "^(web|db.*)$"}, "web db"),
        ({"display_name": r"db\.1"}, "db"),
        ({"display_description": "page"}, "web"),
        ({"hostname": "^web$"}, "web"),
        ({"node": "host-1"}, "web"),
        ({"availability_zone": "nova"}, "web"),
        ({"key_name": "key"}, "web"),
        ({"locked_by": "owner"}, "web"),
        ({"root_device_name": "vda"}, "web"),
        ({"access_ip_v4": r"^1\.2"}, "web"),
        ({"access_ip_v6": "fd00"}, "db"),
        ({"ip": r"10\.0\.0\.2"}, "web"),
        ({"ip": "0"}, "web"),
        ({"ip6": "0"}, "db"),
        ({"uuids": ["uuid-db", "uuid-old", "uuid-none"]}, "db"),
        ({"uuids": []}, ""),
        ({"vm_states": {states.ACTIVE, states.ERROR}}, "web"),
        ({"task_states": {None}}, "web"),
        ({"task_states": {None, states.SPAWNING}}, "web db"),
        ({"vm_states": {states.BUILDING}, "task_states": {None}}, ""),
        ({"launched_at": NEW_YEAR}, "web"),
        ({"launched_at": NEW_YEAR + timedelta(seconds=1)}, ""),
        ({"tags": ["red", "blue"]}, "web"),
        ({"tags_any": ["red", "green"]}, "web db"),
        ({"not_tags": ["red", "blue"]}, "db"),
        ({"not_tags_any": ["blue", "green"]}, "db"),
        ({"project_id": "demo", "user_id": "bob"}, ""),
    ],
)
def test_filters(tx, fleet, wanted, names):
    """Each field leaves those that it should; several fields must all hold."""
    assert found(tx, **wanted) == names


def test_changes(tx, fleet):
    """The filter finds instances by their last change, and deleted ones as well."""
    changed = instances.edit(tx, "uuid-db", display_name="db.2").updated_at
    assert found(tx, changes_since=changed) == "db"
    assert found(tx, changes_before=changed, deleted=None) == "web db old"
    deleted = instances.get(tx, "uuid-old", deleted=True).updated_at
    assert found(tx, changes_since=deleted, deleted=None) == "db old"


def test_an_edit_of_tags_is_found(tx, fleet):
    """A filter by tags sees changes of the tags."""
    instances.edit(tx, "uuid-web", tags=("green",))
    assert (found(tx, tags=["green"]), found(tx, tags=["red"])) == ("web", "db")


@pytest.mark.parametrize("field", ["display_name", "ip"])
def test_an_invalid_expression_is_refused_by_field(tx, field):
    """The error names the field with the invalid regular expression."""
    with pytest.raises(errors.InvalidInput, match=f"{field} is no regular expression"):
        found(tx, **{field: "["})


# ---- order and pages


@pytest.fixture
def crowd(tx, an_instance):
    """Make instances with equal values: three moments, two hosts or none, one name."""
    rows = [
        an_instance(
            uuid=f"uuid-{number}",
            host=(None, "host-1", "host-2")[number % 3],
            created_at=NEW_YEAR + timedelta(seconds=number // 4),
            launched_at=NEW_YEAR if number % 2 else None,
            locked=number % 3 > 0,
        )
        for number in range(10)
    ]
    instances.create(tx, rows)


def test_the_latest_comes_first(tx, crowd):
    """Without a sort the latest come first; of equal moments, the last written."""
    listed = search(tx, InstanceFilter())
    assert [instance.uuid for instance in listed] == [f"uuid-{number}" for number in range(9, -1, -1)]


@pytest.mark.parametrize("direction", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 3, 10])
@pytest.mark.parametrize(
    "keys", [["created_at"], ["display_name"], ["host"], ["host", "created_at"], ["launched_at"], ["locked"]]
)
def test_pages_are_complete_and_stable(tx, crowd, keys, limit, direction):
    """Page after page gives the whole list in order, for any sort and for equal values."""
    sort = [(key, direction) for key in keys]
    whole = [instance.uuid for instance in search(tx, InstanceFilter(), sort=sort)]
    assert len(whole) == 10
    paged = []
    while page := search(tx, InstanceFilter(), sort=sort, limit=limit, marker=paged[-1] if paged else None):
        paged += [instance.uuid for instance in page]
    assert paged == whole


def test_directions_may_be_mixed(tx, crowd):
    """Each key of a sort has its own."""
    sort = [("host", "desc"), ("created_at", "asc")]
    assert found(tx, sort, host="host-1") == "1 7 4"
    assert found(tx, sort, limit=4) == "2 5 8 1"
    assert found(tx, sort, limit=3, marker="uuid-8") == "1 7 4"


def test_pages_stand_still_while_others_are_written(tx, crowd, an_instance):
    """A new instance does not change the pages after a marker."""
    before = found(tx, (("created_at", "desc"),), limit=3, marker="uuid-5")
    instances.create(tx, [an_instance()])
    assert found(tx, (("created_at", "desc"),), limit=3, marker="uuid-5") == before == "4 3 2"


def test_a_marker_may_be_gone(tx, crowd):
    """A page can begin after an instance that was deleted, or that no longer passes the filter."""
    instances.destroy(tx, "uuid-5")
    assert found(tx, limit=2, marker="uuid-5", host="host-1") == "7"


def test_another_projects_marker_is_unknown(tx, crowd):
    """A list of one project cannot begin after another project's instance: that would reveal that it exists."""
    with pytest.raises(errors.InvalidInput, match=r"marker \[uuid-5\] not found"):
        found(tx, marker="uuid-5", project_id="stranger")


def test_many_tags_are_one_condition(tx, crowd):
    """A filter with more tags than a statement may have subqueries works."""
    assert found(tx, tags=[str(number) for number in range(5000)]) == ""


def test_an_unknown_marker_is_named(tx, crowd):
    """A list cannot go on after an instance that never existed."""
    with pytest.raises(errors.InvalidInput, match=r"marker \[uuid-99\] not found"):
        found(tx, marker="uuid-99")


def test_an_unknown_key_is_named(tx, crowd):
    """The error names a sort key that is not a column."""
    with pytest.raises(errors.InvalidInput, match="cannot sort by colour"):
        found(tx, sort=[("colour", "asc")])


@pytest.mark.parametrize("db", [SQLITE], indirect=True)
@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (InstanceFilter(project_id="demo"), "ix_instances_project_list (project_id=? AND deleted=? AND created_at<?)"),
        (InstanceFilter(), "ix_instances_all_list (deleted=? AND created_at<?)"),
    ],
)
def test_a_page_is_read_off_an_index(tx, crowd, wanted, index):
    """A page is read in order off an index, without a sort, in a table of any size."""
    statements = []
    event.listen(tx, "before_cursor_execute", lambda *call: statements.append((call[2], call[3])))
    search(tx, wanted, limit=2, marker="uuid-5")
    statement, parameters = statements[-1]
    plan = [row[3] for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    assert plan == [f"SEARCH instances USING INDEX {index}"]


# ---- what ran in a period


def test_what_ran_in_a_period_is_listed_by_project(tx, an_instance):
    """It was launched before the end, and was there after the beginning, if it is gone by now."""

    def make(project, launched, terminated=None):
        (made,) = instances.create(tx, [an_instance(project_id=project)])
        times = {"launched_at": launched, "terminated_at": terminated}
        instances.update(tx, made.uuid, times, generation=UNCOMPARED, expected_task_state=UNCOMPARED)
        return made.uuid

    hour, end = timedelta(hours=1), NEW_YEAR + timedelta(hours=2)
    make("one", None)
    make("one", end)
    make("one", NEW_YEAR - hour, NEW_YEAR)
    first, third = make("one", NEW_YEAR - hour), make("two", NEW_YEAR - hour, NEW_YEAR + hour)
    second = make("one", NEW_YEAR + hour)
    expected = [*sorted([first, second]), third]
    assert [it.uuid for it in ran_between(tx, NEW_YEAR, end)] == expected
    assert [it.uuid for it in ran_between(tx, NEW_YEAR, end, project_id="two")] == [third]
    assert [it.uuid for it in ran_between(tx, NEW_YEAR, end, limit=1, marker=expected[0])] == [expected[1]]
    with pytest.raises(errors.InvalidInput):
        ran_between(tx, NEW_YEAR, end, project_id="one", marker=third)
