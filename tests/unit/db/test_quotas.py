"""Limits are kept, use is counted from the instances, and who counts has the project's turn."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from mininova import states
from mininova.context import RequestContext
from mininova.db import actions, instances, quotas, server_migrations
from mininova.objects import Arguments, Retry
from mininova.states import UNCOMPARED
from tests.fixtures.private_databases import MARIADB, POSTGRESQL
from tests.fixtures.statements import counted

CLIENTS = 64
LIMIT = 10


def change(tx, instance, **columns):
    return instances.update(tx, instance.uuid, columns, generation=UNCOMPARED, expected_task_state=UNCOMPARED)


def test_use_is_counted_from_the_instances(tx, an_instance, flavor):
    """What is deleted or can be restored counts no more; what is being restored does, and other projects never."""
    kept, restored, soft, gone = instances.create(tx, [an_instance() for _ in range(4)])
    instances.create(tx, [an_instance(user_id="bob", flavor=flavor.replace(vcpus=4))])
    instances.create(tx, [an_instance(project_id="other")])
    change(tx, soft, vm_state=states.SOFT_DELETED, task_state=None)
    change(tx, restored, vm_state=states.SOFT_DELETED, task_state=states.RESTORING)
    instances.destroy(tx, gone.uuid)
    found = quotas.read(tx, "demo", "bob")
    assert (found.used, found.used_by_user) == (
        {"instances": 3, "cores": 6, "ram": 1536},
        {"instances": 1, "cores": 4, "ram": 512},
    )
    assert kept.uuid != restored.uuid


def test_an_instance_that_grows_uses_already_what_it_will_have(tx, an_instance, flavor):
    """So does one that gets its larger flavor back; of what the other flavor has less of, it uses what it has."""
    larger = flavor.replace(vcpus=4, memory_mb=flavor.memory_mb // 2)
    resized, reverted = instances.create(tx, [an_instance(), an_instance(user_id="bob")])
    actions.start(tx, RequestContext(), [resized], "resize", arguments=Arguments(flavor=larger), due_after=30)
    server_migrations.begin(tx, reverted.replace(flavor=larger), "resize", flavor, Retry(), states.ACTIVE)
    change(tx, reverted, task_state=states.RESIZE_REVERTING)
    found = quotas.read(tx, "demo", "bob")
    ram = flavor.memory_mb
    assert found.used == {"instances": 2, "cores": 8, "ram": 2 * ram}
    assert found.used_by_user == {"instances": 1, "cores": 4, "ram": ram}


def test_use_is_not_counted_where_nothing_is_limited(tx, an_instance):
    """Counting takes longer the more there is, so it is left out until a limit was set for who asks, or for all."""

    def is_counted(user: str = quotas.OF_PROJECT) -> bool:
        return quotas.read(tx, "demo", user, count=False).used["instances"] == 1

    instances.create(tx, [an_instance()])
    assert not is_counted()
    quotas.record(tx, "demo", "ann", {"cores": 3})
    assert (is_counted("ann"), is_counted("bob")) == (True, False)
    quotas.forget(tx, "demo")
    assert not is_counted("ann")
    quotas.record_class(tx, "default", {"ram": 1})
    assert is_counted()


def test_limits_are_set_one_by_one(tx):
    """Those that are not named stay; forgetting a user's leaves the project's, forgetting the project's leaves none."""
    quotas.record(tx, "demo", quotas.OF_PROJECT, {"cores": 5})
    quotas.record(tx, "demo", quotas.OF_PROJECT, {"ram": 7})
    quotas.record(tx, "demo", "ann", {"cores": 2})
    quotas.record(tx, "demo", "bob", {"cores": 1})
    found = quotas.read(tx, "demo", "ann")
    assert (found.project, found.user) == ({"cores": 5, "ram": 7}, {"cores": 2})
    assert quotas.of_users(tx, "demo") == {"ann": {"cores": 2}, "bob": {"cores": 1}}
    quotas.forget(tx, "demo", "ann")
    assert quotas.of_users(tx, "demo") == {"bob": {"cores": 1}}
    assert quotas.read(tx, "demo").project == {"cores": 5, "ram": 7}
    quotas.forget(tx, "demo")
    assert (quotas.of_users(tx, "demo"), quotas.read(tx, "demo").project) == ({}, {})


def test_a_class_has_limits(tx):
    """Those of the default class are read with each project."""
    quotas.record_class(tx, "default", {"cores": 5})
    quotas.record_class(tx, "default", {"ram": 7})
    assert quotas.of_class(tx, "default") == quotas.read(tx, "demo").defaults == {"cores": 5, "ram": 7}
    assert quotas.of_class(tx, "other") == {}


def test_an_instance_and_the_turn_to_make_it_are_one_statement(db, an_instance):
    """Only the first instance of a project needs others, which begin the project's turns."""
    for needed in (True, False):
        with db.write() as tx, counted(db) as statements:
            instances.create(tx, [an_instance()])
        assert (len(statements) > 1) == needed, statements


@pytest.mark.parametrize("before", [0, 1])
def test_of_64_clients_at_once_none_is_one_too_many(db, an_instance, before):
    """Each counts what the others before it have committed, be it the project's first instance or not."""
    start = threading.Barrier(CLIENTS)
    with db.write() as tx:
        for _ in range(before):
            instances.create(tx, [an_instance()])

    def boot(_):
        start.wait()
        try:
            with db.write() as tx:
                instances.create(tx, [an_instance()])
                if quotas.read(tx, "demo").used["instances"] > LIMIT:
                    raise OverflowError
        except OverflowError:
            return False
        return True

    with ThreadPoolExecutor(CLIENTS) as threads:
        granted = list(threads.map(boot, range(CLIENTS)))
    with db.read() as tx:
        assert (granted.count(True) + before, quotas.read(tx, "demo").used["instances"]) == (LIMIT, LIMIT)


@pytest.mark.parametrize("db", [POSTGRESQL, MARIADB], indirect=True)
def test_projects_do_not_wait_for_each_other(db, an_instance):
    """A transaction that has one project's turn leaves the others theirs."""
    with db.write() as tx:
        for project in ("one", "two"):
            instances.create(tx, [an_instance(project_id=project)])
    with db.write() as tx:
        instances.create(tx, [an_instance(project_id="one")])
        with db.write() as other:
            instances.create(other, [an_instance(project_id="two")])


def test_a_turn_can_be_taken_without_making_an_instance(race, db):
    """Several that take a project's first turn at once have it one after the other."""
    outcomes = race(lambda tx, user: quotas.record(tx, "demo", quotas.OF_PROJECT, {user: 1}), *map(str, range(12)))
    assert outcomes == [None] * 12
    with db.read() as tx:
        assert quotas.read(tx, "demo").project == {str(number): 1 for number in range(12)}
