"""The events of one message become lines."""

from msgspec.structs import replace

from mininova.flow.message import messages

API, CONDUCTOR, COMPUTE = "api.ctl-1", "conductor.ctl-1", "compute.host-1"


def kinds(lines):
    """Name the kind and the method of each line."""
    return [(line.kind, line.method) for line in lines]


def test_a_call_is_two_messages(new_story):
    """A call is one line, and its reply another with the duration."""
    story = new_story()
    story.call(COMPUTE, CONDUCTOR, "get_instance")
    call, reply = messages(story.events)
    assert (call.kind, call.source, call.target, call.took) == ("call", COMPUTE, CONDUCTOR, None)
    assert (reply.kind, reply.source, reply.target, reply.took) == ("reply", CONDUCTOR, COMPUTE, 0.0021)


def test_a_cast_is_one_message(new_story):
    """A handled cast is one line with the duration of its handler."""
    story = new_story()
    story.cast(API, COMPUTE, "delete_instance", took=0.5)
    (cast,) = messages(story.events)
    assert (cast.kind, cast.source, cast.target, cast.took, cast.wrong) == ("cast", API, COMPUTE, 0.5, False)


def test_the_receiver_is_the_process_that_took_it(new_story):
    """A message to a topic is shown with the process that received it."""
    story = new_story()
    story.cast(API, "conductor.ctl-7", "build_instances", topic="conductor")
    assert messages(story.events)[0].target == "conductor.ctl-7"


def test_a_reply_comes_after_its_call(new_story):
    """A receiver's clock that is slow does not put a reply before its call."""
    story = new_story()
    story.call(COMPUTE, CONDUCTOR, "get_instance")
    story.events = [story.events[0], *(_earlier(event, 5.0) for event in story.events[1:])]
    assert kinds(messages(story.events)) == [("call", "get_instance"), ("reply", "get_instance")]


def _earlier(event, seconds):
    return type(event)(**{name: getattr(event, name) for name in event.__struct_fields__} | {"at": event.at - seconds})


def test_a_compute_cannot_take_the_place_of_a_sender(new_story):
    """A compute that says that it sent a service's message, and earlier, is not believed."""
    story = new_story()
    story.cast(CONDUCTOR, COMPUTE, "build_instance")
    lie = _earlier(replace(story.events[0], sender=COMPUTE, method="lie"), 60.0)
    (cast,) = messages([lie, *story.events])
    assert (cast.source, cast.method) == (CONDUCTOR, "build_instance")


def test_an_error_reaches_the_reply(new_story):
    """The reply of a failed call has the error, and is marked."""
    story = new_story()
    story.call(COMPUTE, CONDUCTOR, "update_instance", error="InstanceUpdateConflict: found spawning")
    call, reply = messages(story.events)
    assert (call.wrong, reply.wrong, reply.error) == (False, True, "InstanceUpdateConflict: found spawning")


def test_a_refusal_has_a_line(new_story):
    """A refused message comes back to its sender, with the reason."""
    story = new_story()
    story.cast(API, COMPUTE, "reboot_instance")
    sent = story.events[0]
    refused = type(sent)(kind="rejected", at=sent.at + 1, message_id=sent.message_id, receiver=COMPUTE, error="too new")
    _, rejected = messages([sent, refused])
    assert (rejected.kind, rejected.source, rejected.target, rejected.error) == ("rejected", COMPUTE, API, "too new")
    assert rejected.wrong


def test_a_failed_cast_and_its_second_delivery(new_story):
    """A cast that failed and was delivered again has a line for each delivery."""
    story = new_story()
    message = story._message("cast", API, COMPUTE, "stop_instance", {})
    story.tell("received", receiver=COMPUTE, **message)
    story.tell("replied", receiver=COMPUTE, error="OSError: boom", duration=0.1, **message)
    story.tell("received", receiver=COMPUTE, **message)
    story.tell("replied", receiver=COMPUTE, duration=0.2, **message)
    lines = messages(story.events)
    assert [line.kind for line in lines] == ["cast", "failed", "redelivered"]
    assert [line.took for line in lines] == [0.2, 0.1, None]


def test_what_was_sent_again_has_a_line(new_story):
    """A message that its sender sent once more is one message, and the second sending is trouble."""
    story = new_story()
    message = story._message("cast", API, CONDUCTOR, "build_instances", {})
    story.tell("resent", **{**message, "payload": {}})
    story.tell("received", receiver=CONDUCTOR, **message)
    cast, again = messages(story.events)
    assert (cast.kind, again.kind, again.source, again.target) == ("cast", "resent", API, CONDUCTOR)
    assert (cast.wrong, again.wrong) == (False, True)


def test_what_was_lost_on_purpose_has_a_line(new_story):
    """It says by which rule, and the message itself that it came to no one."""
    story = new_story()
    message = story._message("cast", CONDUCTOR, COMPUTE, "build_instance", {})
    story.tell("lost", error="LostOnPurpose: number 1", **{**message, "payload": {}})
    cast, lost = messages(story.events)
    assert (cast.change, lost.kind, lost.source, lost.target) == ("no receiver took it", "lost", CONDUCTOR, COMPUTE)
    assert (lost.error, lost.wrong) == ("LostOnPurpose: number 1", True)


def test_a_cast_that_was_given_up(new_story):
    """The line of a parked cast says in which queue it is, and why."""
    story = new_story()
    message = story._message("cast", API, COMPUTE, "stop_instance", {})
    story.tell("received", receiver=COMPUTE, **message)
    story.tell("replied", receiver=COMPUTE, error="OSError: boom", duration=0.1, **message)
    story.tell("parked", receiver=COMPUTE, error="OSError: boom", **message)
    last = messages(story.events)[-1]
    assert (last.kind, last.source, last.target, last.error) == ("parked", COMPUTE, "compute.dead", "OSError: boom")
    assert last.wrong


def test_a_message_without_a_receiver(new_story):
    """A message without a receiver says so, unless its receiver may still report it."""
    story = new_story()
    story._message("cast", API, COMPUTE, "stop_instance", {})
    (cast,) = messages(story.events)
    assert (cast.change, cast.wrong) == ("no receiver took it", True)
    assert messages(story.events, complete=False)[0].change == ""


def test_a_fanout_has_many_receivers(new_story):
    """The second receiver of a fanout is not shown as a second delivery."""
    story = new_story()
    message = story._message("fanout", API, "compute", "refresh", {})
    for host in ("compute.host-1", "compute.host-2"):
        story.tell("received", receiver=host, **message)
    (line,) = messages(story.events)
    assert line.target == "every compute"


def test_a_message_without_its_senders_report(new_story):
    """A message that only its receiver reported is shown as well."""
    story = new_story()
    story.cast(API, COMPUTE, "stop_instance")
    assert kinds(messages(story.events[1:])) == [("cast", "stop_instance")]


def test_an_http_request_that_failed_is_marked(new_story):
    """An answer of 400 or more is marked as an error."""
    story = new_story()
    story.http("POST /v2.1/servers", 409)
    (line,) = messages(story.events)
    assert (line.change, line.wrong) == ("409", True)


def test_payloads_from_elsewhere_do_no_harm(new_story):
    """Arguments of an unexpected form make a line without a change."""
    story = new_story()
    for method in ("build_instances", "update_instance", "fail_instance", "allocate_network", "reschedule_instance"):
        story.call(API, CONDUCTOR, method, result=7, instance=[1], instances="x", changes=None, fault=None)
    assert len(messages(story.events)) == 10
