"""Tests of fleet.py on a cloud that starts with them: ``pip install "mininova[pytest]"``, then ``pytest``."""

import openstack
import pytest
from fleet import Fleet


@pytest.fixture
def fleet(openstack_connection):
    """Give an empty fleet, in a project of its own."""
    return Fleet(openstack_connection, "web")


def states(fleet):
    """Give each server's name and status."""
    return {server.name: server.status for server in fleet.servers()}


@pytest.mark.parametrize("size", [0, 1, 2, 5])
def test_a_fleet_has_the_size_that_is_asked_for(fleet, size):
    fleet.scale(size)
    assert states(fleet) == {f"web-{number}": "ACTIVE" for number in range(1, size + 1)}


@pytest.mark.parametrize(("before", "after"), [(1, 3), (3, 1), (2, 2), (2, 0)])
def test_a_fleet_grows_and_shrinks(fleet, before, after):
    fleet.scale(before)
    fleet.scale(after)
    assert len(states(fleet)) == after


def test_a_gap_is_filled(fleet, openstack_connection):
    fleet.scale(3)
    gone = fleet.servers()[1]
    openstack_connection.compute.delete_server(gone)
    openstack_connection.compute.wait_for_delete(gone, interval=0.05)
    fleet.scale(3)
    assert list(states(fleet)) == ["web-1", "web-2", "web-3"]


@pytest.mark.parametrize("name", ["db", "web", "web-of-trust"])
def test_projects_do_not_see_each_other(fleet, openstack_connection, name):
    fleet.scale(1)
    assert len(Fleet(openstack_connection, name).servers()) == (name == "web")
    assert [server.name for server in openstack_connection.compute.servers()] == ["web-1"]


@pytest.mark.mininova_behaviour({"operation": "spawn", "hosts": "host-1", "failure": {"message": "no space left"}})
def test_a_host_that_fails_is_passed_over(fleet):
    fleet.scale(3)
    assert set(states(fleet).values()) == {"ACTIVE"}


@pytest.mark.mininova_behaviour({"operation": "spawn", "instances": "web-2", "failure": {"message": "no space left"}})
def test_a_server_that_cannot_be_built_does_not_stop_the_others(fleet):
    with pytest.raises(openstack.exceptions.ResourceFailure):
        fleet.scale(3)
    assert states(fleet)["web-2"] == "ERROR"


def test_a_failed_server_is_replaced(fleet, openstack_connection, mininova_cloud):
    """Only an administrator sets a state; the cloud has one."""
    fleet.scale(2)
    admin = openstack.connect(**mininova_cloud.login("mininova-admin"))
    admin.compute.reset_server_state(fleet.servers()[0], "error")
    assert states(fleet)["web-1"] == "ERROR"
    fleet.scale(2)
    assert states(fleet) == {"web-1": "ACTIVE", "web-2": "ACTIVE"}


@pytest.mark.parametrize(("option", "value"), [("image", "windows"), ("flavor", "m1.enormous")])
def test_what_is_not_there_is_said(openstack_connection, option, value):
    with pytest.raises(openstack.exceptions.NotFoundException, match=value):
        Fleet(openstack_connection, "web", **{option: value})


def test_a_quota_of_the_project_holds(fleet, openstack_connection, mininova_cloud):
    admin = openstack.connect(**mininova_cloud.login("mininova-admin"))
    admin.set_compute_quotas(openstack_connection.current_project_id, instances=2)
    with pytest.raises(openstack.exceptions.HttpException, match="Quota exceeded"):
        fleet.scale(3)
    assert len(states(fleet)) == 2


def test_the_cloud_has_the_hosts_that_pytest_ini_says(mininova_cloud):
    admin = openstack.connect(**mininova_cloud.login("mininova-admin"))
    assert len(list(admin.compute.hypervisors())) == 4


@pytest.mark.mininova_behaviour({"operation": "spawn", "delay": 300})
def test_a_slow_cloud(fleet):
    fleet.scale(2)
    assert states(fleet) == {"web-1": "ACTIVE", "web-2": "ACTIVE"}


@pytest.mark.mininova_rules({"method": "POST", "url": "*/servers", "quota": "instances", "times": 1})
def test_what_a_quota_refused_is_made_later(fleet):
    with pytest.raises(openstack.exceptions.ForbiddenException, match="Quota exceeded for instances"):
        fleet.scale(1)
    fleet.scale(1)
    assert states(fleet) == {"web-1": "ACTIVE"}


def test_a_server_whose_answer_was_lost_is_found(fleet, mininova_cloud):
    """The cloud has made it, though it said 500."""
    with mininova_cloud.rule(method="POST", url="*/servers", lost="500", times=1) as rule:
        with pytest.raises(openstack.exceptions.HttpException):
            fleet.scale(2)
        fleet.scale(2)
        assert rule.applied == 1
    assert set(states(fleet).values()) == {"ACTIVE"}
    assert len(states(fleet)) == 2
