"""An instance's life, from the messages of all requests that touched it."""

import io

from msgspec.structs import replace
from rich.console import Console

from mininova import states
from mininova.flow import life, screen, summary

UUID = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
BOOT, STOP = "req-11111111-2222-3333-4444-555555555555", "req-22222222-2222-3333-4444-555555555555"


def told(events, *more):
    """Give the steps of web-1's life."""
    requests = [summary.of(part[0].request_id, part) for part in (events, *more)]
    return life.steps(UUID, [event for part in (events, *more) for event in part], requests)


def stop(new_story, new_instance):
    """Make a stop of web-1, ten seconds after its boot."""
    story = new_story(STOP, 1_790_000_010.0)
    stopping = new_instance(states.POWERING_OFF, states.ACTIVE, host="host-2")
    story.http(f"POST /v2.1/servers/{UUID}/action", 202)
    payload = {"instance_id": UUID, "display_name": "web-1", "host": "host-2"}
    story.notification("api.ctl-1", "compute.instance.update", **payload, old_state="active", state="active",
                       old_task_state=None, new_task_state=stopping.task_state)  # fmt: skip
    story.notification("compute.host-2", "compute.instance.power_off.error", **payload, message="no power")
    story.notification("conductor.ctl-1", "compute.instance.update", **payload, old_state="active", state="stopped",
                       old_task_state=stopping.task_state, new_task_state=None)  # fmt: skip
    return story.events


def test_a_boot(boot):
    """Each state that was written is a step, and so is what the compute says in between."""
    assert [(step.vm_state, step.task_state, step.event, step.change) for step in told(boot)] == [
        (None, None, "compute.instance.create.start", ""),
        ("building", "networking", "compute.instance.update", "scheduling → networking"),
        ("building", "block_device_mapping", "compute.instance.update", "networking → block_device_mapping"),
        ("building", "spawning", "compute.instance.update", "block_device_mapping → spawning"),
        ("active", None, "compute.instance.update", "spawning → active"),
        ("active", None, "compute.instance.create.end", ""),
    ]


def test_the_requests_that_caused_it(boot, new_story, new_instance):
    """Each step has the request that caused it, an error what went wrong, and the host is said."""
    (asked, failed, done) = told(boot, stop(new_story, new_instance))[-3:]
    assert (asked.request_id, asked.what) == (STOP, f"POST /v2.1/servers/{UUID}/action")
    assert (failed.vm_state, failed.task_state, failed.error) == ("active", "powering-off", "no power")
    assert (done.vm_state, done.task_state, done.host) == ("stopped", None, "host-2")


def test_a_compute_writes_no_state(boot):
    """A compute that says that the database has another state for an instance is not believed."""
    lie = replace(boot[-1], method="compute.instance.update", payload={**boot[-1].payload, "state": "deleted"})
    assert told([*boot, lie])[-1].vm_state == "active"


def test_of_another_instance(boot):
    """What is about another instance is no part of its life."""
    others = [replace(event, payload={**event.payload, "instance_id": "other"}) for event in boot]
    assert told(others) == []


def test_a_payload_of_another_shape(boot):
    """Values that are no texts are left out."""
    shape = {"instance_id": UUID, "state": ["x"], "host": 5, "new_task_state": {}, "message": 7}
    odd = [replace(event, payload=shape) for event in boot if event.pattern == "notification"]
    assert {(step.vm_state, step.host, step.error) for step in told(odd)} == {(None, "", "")}


def printed(steps) -> list[str]:
    """Print a life into a pipe."""
    out = io.StringIO()
    screen.life(Console(file=out, width=40), UUID, "web-1\x1b[2J", steps)
    return out.getvalue().splitlines()


def test_printed(boot, new_story, new_instance):
    """A life is a heading, a line for each request, and the steps that it caused below."""
    lines = printed(told(boot, stop(new_story, new_instance)))
    assert lines[0] == rf"web-1\x1b[2J  {UUID}  stopped on host-2"
    assert [line.split()[0] for line in lines if BOOT in line or STOP in line] == ["POST", "POST"]
    assert [line.split()[1:] for line in lines[-3:]] == [
        ["◆", "active", "powering-off", "host-2"],
        ["◇", "active", "powering-off", "host-2", "power_off.error", "no", "power"],
        ["◆", "stopped", "host-2"],
    ]


def test_nothing_is_known():
    """A server of which no notification is kept has a heading."""
    assert printed([]) == [rf"web-1\x1b[2J  {UUID}  of no known state"]


def test_as_data(boot):
    """For -f json a life is plain data."""
    data = screen.life_data(UUID, "web-1", told(boot), [summary.of(BOOT, boot)])
    assert (data["steps"][-1]["vm_state"], data["requests"][0]["request_id"]) == ("active", BOOT)
