"""The steps of a build, and how it ends at a delete, at a failure and when its message comes twice."""

import threading

import pytest

from mininova import errors, rpc, states
from mininova.compute.manager import ComputeManager

STEPS = [
    "allocate_network",
    "update_instance block_device_mapping",
    "update_instance spawning",
    "update_instance active",
]


@pytest.fixture
def instance(an_instance):
    return an_instance(states.BUILDING, states.SCHEDULING)


@pytest.fixture
def build(manager, ctxt, image):
    """Build an instance, as the conductor's cast has it."""
    return lambda instance: manager.build_instance(ctxt, instance, image)


def deleting(conductor, instance):
    """The state that the api writes when a client deletes an instance."""
    return lambda: conductor.write(instance.uuid, task_state=states.DELETING)


def test_steps(build, conductor, driver, instance):
    """A boot passes through networking, block_device_mapping and spawning, and spawns once."""
    build(instance)
    assert conductor.asked == STEPS
    assert driver.asked == ["spawn"]


def test_active(build, conductor, driver, instance):
    """After a boot the instance is active, runs, and knows since when."""
    build(instance)
    row = conductor.rows[instance.uuid]
    assert (row.vm_state, row.task_state, row.power_state, row.progress) == ("active", None, states.RUNNING, 100)
    assert row.launched_at is not None
    assert driver.guests == {instance.uuid: states.RUNNING}


def test_notifications(build, listener, instance):
    """Listeners hear the start with the image's name, and the end with the address."""
    build(instance)
    assert listener.events == ["create.start", "create.end"]
    start, end = (payload for _, _, payload in listener.heard)
    assert (start["image_name"], start["state"]) == ("cirros", "building")
    assert (end["state"], end["fixed_ips"][0]["address"]) == ("active", "10.0.0.2")


@pytest.mark.parametrize("step", STEPS)
def test_delete_wins_at_each_step(build, conductor, driver, listener, instance, step):
    """A delete before any step ends the build without an error, and leaves no guest."""
    conductor.meanwhile[step] = deleting(conductor, instance)
    build(instance)
    assert conductor.asked[-1] == step
    assert driver.guests == {}
    assert listener.events == ["create.start"]
    assert conductor.faults == {}


@pytest.mark.parametrize("step", STEPS)
def test_instance_gone_at_each_step(build, conductor, driver, instance, step):
    """An instance whose row is gone before any step leaves no guest."""
    conductor.meanwhile[step] = lambda: conductor.rows.clear()
    build(instance)
    assert driver.guests == {}
    assert conductor.rescheduled == []


def test_destroyed_while_spawning(build, conductor, driver, instance):
    """A guest that is destroyed while it spawns is no failure: the build is not rescheduled."""
    driver.fails["spawn"] = errors.GuestGone(instance_uuid=instance.uuid)
    build(instance)
    assert conductor.rescheduled == []


def test_spawn_fails(build, conductor, driver, listener, instance, out_of_luck, is_fault):
    """After a failed spawn the host cleans up, notifies, and gives the build back with a fault."""
    driver.fails["spawn"] = out_of_luck
    build(instance)
    assert driver.asked == ["spawn", "destroy"]
    assert listener.events == ["create.start", "create.error"]
    given_back, fault = conductor.rescheduled[0]
    assert given_back == conductor.rows[instance.uuid]
    assert is_fault(fault, "out of luck")


def test_driver_throws_anything(build, conductor, driver, instance, is_fault):
    """A driver's unknown error gives the build back; the fault's message has only its class, the details all of it."""
    driver.fails["spawn"] = ZeroDivisionError("secret")
    build(instance)
    _, fault = conductor.rescheduled[0]
    assert is_fault(fault, "ZeroDivisionError")
    assert "secret" not in fault.message
    assert "secret" in fault.details


def test_remains_cannot_be_removed(build, conductor, driver, instance, out_of_luck, is_fault):
    """If the host cannot clean up, the build is not rescheduled: it ends in an error."""
    driver.fails |= {"spawn": out_of_luck, "destroy": ZeroDivisionError()}
    build(instance)
    assert conductor.rescheduled == []
    assert conductor.rows[instance.uuid].vm_state == states.ERROR
    assert is_fault(conductor.faults[instance.uuid], "out of luck")


def test_no_more_addresses(build, conductor, driver, listener, instance, is_fault):
    """Without an address the build ends in an error: another host would have no address either."""
    conductor.addresses_left = False
    build(instance)
    assert conductor.rows[instance.uuid].vm_state == states.ERROR
    assert is_fault(conductor.faults[instance.uuid], "No more addresses")
    assert listener.events == ["create.start", "create.error"]
    assert driver.asked == []


@pytest.mark.parametrize("reached", states.under_way("build"))
def test_delivered_again(build, conductor, driver, instance, reached):
    """A second delivery finishes a build that stopped after any step."""
    conductor.write(instance.uuid, task_state=reached)
    build(instance)
    assert conductor.rows[instance.uuid].vm_state == states.ACTIVE
    assert driver.asked == ["spawn"]


def test_delivered_again_when_done(build, conductor, driver, listener, instance):
    """A second delivery does not build again; it only notifies of the end again."""
    build(instance)
    row = conductor.rows[instance.uuid]
    build(instance)
    assert conductor.rows[instance.uuid] == row
    assert driver.asked == ["spawn"]
    assert listener.events[-1] == "create.end"


def test_delivered_again_after_stop(build, conductor, driver, instance):
    """A build that is delivered after its owner stopped the instance changes nothing."""
    conductor.write(instance.uuid, vm_state=states.STOPPED, task_state=None)
    build(instance)
    assert driver.asked == []


def test_lives_elsewhere_now(build, conductor, driver, instance):
    """A build that is delivered after the instance went to another host starts no guest."""
    driver.guests[instance.uuid] = states.RUNNING
    conductor.write(instance.uuid, host="host-2")
    build(instance)
    assert driver.guests == {}
    assert conductor.rows[instance.uuid].task_state == states.SCHEDULING


def test_conductor_does_not_answer(build, conductor, driver, instance):
    """A step that gets no answer ends this delivery; the next one finishes the build."""

    def no_answer():
        conductor.write(instance.uuid, task_state=states.SPAWNING)
        raise rpc.MessagingTimeout("conductor did not answer")

    conductor.meanwhile["update_instance spawning"] = no_answer
    with pytest.raises(rpc.MessagingTimeout):
        build(instance)
    build(instance)
    assert conductor.rows[instance.uuid].vm_state == states.ACTIVE


def test_answers_that_are_lost_again_and_again(build, conductor, driver, instance):
    """Each time the build goes on from where its lost step has brought the row."""
    step = f"update_instance {states.BLOCK_DEVICE_MAPPING}"

    def lose_two():
        conductor.write(instance.uuid, task_state=states.BLOCK_DEVICE_MAPPING)
        conductor.meanwhile[step] = lambda: conductor.write(instance.uuid, task_state=states.BLOCK_DEVICE_MAPPING)

    conductor.meanwhile[step] = lose_two
    build(instance)
    assert (conductor.asked.count("get_instance"), driver.asked) == (2, ["spawn"])
    assert conductor.rows[instance.uuid].vm_state == states.ACTIVE


def test_delivered_twice_at_once(build, conductor, driver, instance):
    """Of two deliveries at the same time one builds, and the other finds the build done."""
    second = threading.Thread(target=build, args=(instance,))
    driver.meanwhile["spawn"] = second.start
    build(instance)
    second.join(30)
    assert driver.asked == ["spawn"]
    assert conductor.rows[instance.uuid].vm_state == states.ACTIVE


def test_concurrent_builds_are_bounded(an_instance, driver, conductor, listener, ctxt, image):
    """The host builds no more instances at a time than the configuration says."""
    manager = ComputeManager("host-1", driver, conductor, listener, max_concurrent_builds=1)
    first, second = (an_instance(states.BUILDING, states.SCHEDULING) for _ in range(2))
    other = threading.Thread(target=manager.build_instance, args=(ctxt, second, image))

    def start_the_other():
        other.start()
        assert conductor.rows[second.uuid].task_state == states.SCHEDULING

    driver.meanwhile["spawn"] = start_the_other
    manager.build_instance(ctxt, first, image)
    other.join(30)
    assert listener.events == ["create.start", "create.end"] * 2


def test_a_host_reports_how_many_builds_failed(build, manager, conductor, driver, an_instance):
    """It counts those that its hypervisor failed since one ended well."""

    def reported():
        manager.report()
        return conductor.reports[-1][1].failed_builds

    driver.fails["spawn"] = RuntimeError("its disk is full")
    for _ in range(2):
        build(an_instance(states.BUILDING, states.SCHEDULING))
    assert reported() == 2
    driver.fails.clear()
    build(an_instance(states.BUILDING, states.SCHEDULING))
    assert reported() == 0
