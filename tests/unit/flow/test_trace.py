"""The text of a boot, as mininova-flow prints it."""

from mininova.flow import trace

BOOT = """\
client          → api             http          POST /v2.1/servers             202
api             → conductor       cast          build_instances 1.0            new → scheduling
conductor       → scheduler       call          select_destinations 1.0
scheduler       → conductor       reply         select_destinations            host-a, else host-b, host-c
conductor       → compute.host-a  cast          build_instance 1.0             host = host-a
compute.host-a  → notifications   notification  compute.instance.create.start
compute.host-a  → conductor       call          allocate_network 1.0           scheduling → networking
conductor       → compute.host-a  reply         allocate_network               address 10.0.0.5
conductor       → notifications   notification  compute.instance.update        scheduling → networking
compute.host-a  → conductor       call          update_instance 1.0            networking → block_device_mapping
conductor       → compute.host-a  reply         update_instance
conductor       → notifications   notification  compute.instance.update        networking → block_device_mapping
compute.host-a  → conductor       call          update_instance 1.0            block_device_mapping → spawning
conductor       → compute.host-a  reply         update_instance
conductor       → notifications   notification  compute.instance.update        block_device_mapping → spawning
compute.host-a  → conductor       call          update_instance 1.0            spawning → active
conductor       → compute.host-a  reply         update_instance
conductor       → notifications   notification  compute.instance.update        spawning → active
compute.host-a  → notifications   notification  compute.instance.create.end
"""


def test_a_boot_without_times(boot):
    """A boot has one line for each message; without times and with stable names it is always the same."""
    lines = trace.lines(boot, times=False, normalise=trace.StableNames(boot))
    assert "\n".join(lines) + "\n" == BOOT


def test_the_order_of_reports_does_not_matter(boot):
    """Reports of several processes come in any order; the lines are ordered by time."""
    assert trace.lines(boot) == trace.lines(list(reversed(boot)))


def test_times(boot):
    """With times, a line begins with the milliseconds since the request, and has a column for durations."""
    first, second, *_ = trace.lines(boot)
    assert first.split() == ["0.0", "client", "→", "api", "http", "POST", "/v2.1/servers", "7.9", "ms", "202"]
    assert second.split()[0] == "0.2"


def test_a_failure_is_shown_in_words(failed_build):
    """The lines say why a build failed."""
    lines = trace.lines(failed_build, times=False)
    assert lines[1].endswith("  Failed to spawn instance: the disk is full")
    assert lines[2].endswith("spawning → error: Failed to spawn instance: the disk is full")


def test_two_servers_have_different_names(new_story, new_instance):
    """In a request with several instances, each change names its instance."""
    story = new_story()
    for number in (1, 2):
        uuid = f"0000000{number}-0000-4000-8000-000000000000"
        instance = new_instance("scheduling", host=f"host-{number}", uuid=uuid, display_name=f"web-{number}")
        story.cast("conductor.ctl-1", f"compute.host-{number}", "build_instance", instance=instance)
    assert [line.split("  ")[-1] for line in trace.lines(story.events, times=False)] == [
        "web-1: host = host-1",
        "web-2: host = host-2",
    ]


def test_two_conductors_have_different_names(new_story):
    """A service with more than one process is shown with its host."""
    story = new_story()
    for conductor in ("conductor.ctl-1", "conductor.ctl-2"):
        story.call("compute.host-1", conductor, "get_instance")
    text = "\n".join(trace.lines(story.events))
    assert "conductor.ctl-1" in text
    assert "conductor.ctl-2" in text


def test_uuids_are_shortened(new_story):
    """A uuid is shown by its beginning, so that columns stay narrow."""
    story = new_story()
    story.http("DELETE /v2.1/servers/aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee", 204)
    assert "DELETE /v2.1/servers/aaaaaaaa… " in trace.lines(story.events)[0]


def test_stable_names():
    """Each uuid and request id gets a number by the order of its appearance, and keeps it."""
    stable = trace.StableNames()
    one, two = "aaaaaaaa-bbbb-cccc-dddd-000000000001", "aaaaaaaa-bbbb-cccc-dddd-000000000002"
    assert stable(f"{one} {two} {one} req-{one}") == "uuid=1 uuid=2 uuid=1 req=1"


def test_no_events_no_lines():
    """No events give no lines."""
    assert trace.lines([]) == []
