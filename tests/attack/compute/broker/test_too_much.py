"""Leaving no room for others: a server is booted on another host while the flood lasts, and its time is measured."""

import threading
import time
from contextlib import suppress

import amqp
import pytest

from tests.fixtures import taken_over
from tests.fixtures.attack_worlds import THEIRS
from tests.fixtures.taken_over import reply, request

#: What a listener is to hear of a boot on another host: the broker user behind it, and the event.
BOOTED = {(f"compute.{THEIRS}", f"compute.instance.create.{phase}") for phase in ("start", "end")} | {
    ("conductor", "compute.instance.update")
}
HEAD_START = 3.0  # seconds, and more, that a flood lasts before that


pytestmark = pytest.mark.only_rabbitmq


@pytest.fixture(autouse=True)
def unchanged(attacker, stack):
    """Let the database change, for others are served; and take away what a flood leaves, for the next one to count."""
    yield
    connection = taken_over.connect(taken_over.url_in(stack.home.etc / "mininova-conductor.conf"))
    with connection.channel() as channel:
        channel.queue_purge(f"conductor.from.{attacker.user}")
    connection.close()


@pytest.mark.sees("its answers, as fast as a few at a time are worked on; others are served")
def test_calls(attacker, observe, flood, others_are_served):
    """Asks the conductor for its instances without a pause."""
    body = request("get_instances", {"host": attacker.host})
    where = attacker.reply_queue
    with observe(), flood("conductor", body, reply_to=where, message_id="1") as sent:
        others_are_served("calls")
    print(f"{sent.sent} calls")


@pytest.mark.sees("`Forbidden`, each time; the list of denials counts them in one line")
def test_what_is_denied(attacker, observe, flood, others_are_served, rows):
    """Asks the conductor without a pause for what it may not have."""
    with (
        observe.listed(attacker.user, "get_instances", times=100),
        flood("conductor", request("get_instances", {"host": "host-2"})),
    ):
        others_are_served("calls that are denied")
    assert len(rows.read("SELECT * FROM denials")) < 2000


@pytest.mark.sees("`Forbidden`; the list of denials is bounded")
def test_denials_without_end(attacker, observe, others_are_served, rows):
    """Asks for another thing each time, so that the list of denials would grow without end."""
    over = threading.Event()

    def run():
        connection = taken_over.connect(attacker.url, confirm_publish=False)
        with suppress(*taken_over.REFUSALS):
            channel, number = connection.channel(), 0
            while not over.is_set():
                message = amqp.Message(request("get_instance", {"uuid": f"{number:036x}"}), user_id=attacker.user)
                channel.basic_publish(message, exchange=attacker.lane, routing_key="conductor")
                number += 1
            connection.close()
        connection.collect()

    thread = threading.Thread(target=run)
    with observe.listed(attacker.user, "get_instance", times=100):
        thread.start()
        try:
            over.wait(1.5)
            others_are_served("denials of many things")
        finally:
            over.set()
            thread.join(30)
    assert len(rows.read("SELECT * FROM denials")) < 2000


@pytest.mark.sees("nothing, or an error for each; others are served")
def test_casts_without_a_sender(attacker, observe, flood, others_are_served):
    """Sends the conductor commands without a sender's name, without a pause."""
    body = request("build_instances", {"instances": [], "request_spec": None}, _msg_id=None)
    with observe.listed(None, "build_instances", times=100), flood("conductor", body, user_id=None, delivery_mode=2):
        others_are_served("casts without a sender")


@pytest.mark.sees("an error for each; others are served")
def test_large_bodies(attacker, observe, flood, others_are_served):
    """Sends the conductor bodies of 1 MiB, the longest that the broker takes, without a pause."""
    body = b"[" + b'"x",' * 262_000 + b"0]"
    with observe.logged("mininova-conductor", "a message is a JSON object, not list"), flood("conductor", body):
        others_are_served("bodies of 1 MiB")


@pytest.mark.sees("its reports are taken, one after the other; others are served")
def test_heartbeats(observe, flood, others_are_served, service, node):
    """Sends heartbeats without a pause, each of which is a write."""
    with observe(), flood("conductor", request("report_state", {"service": service, "node": node})):
        others_are_served("heartbeats")


@pytest.fixture
def heard_by_the_api(attacker, console, stack, reply_queues):
    """Have the api ask the attacker something, so that it hears it; take away in the end what was not heard."""
    console.asked_of_mine()
    yield reply_queues["api"]
    connection = taken_over.connect(taken_over.url_in(stack.home.etc / "mininova-api.conf"))
    with connection.channel() as channel:
        channel.queue_purge(f"{reply_queues['api']}.from.{attacker.user}")
    connection.close()


@pytest.mark.sees("nothing: a few are looked at, and no more until it is asked something")
def test_replies(observe, flood, others_are_served, heard_by_the_api):
    """Floods the reply queue of the api."""
    with (
        observe.logged("mininova-api", "for which no call waits"),
        flood(heard_by_the_api, reply("0" * 32, "anything")),
    ):
        others_are_served("replies")


@pytest.mark.sees("a nack for each, but for a few in each moment; others are served")
def test_notifications(attacker, observe, flood, others_are_served):
    """Floods the queue of notifications with large ones."""
    with flood("notifications.info", b"x" * 100_000, delivery_mode=2):
        others_are_served("notifications")
        with observe():
            [attacker.publish("notifications.info", b"x" * 100_000) for _ in range(100)]


@pytest.mark.sees("nothing: a few go on each moment, and a nack for each of the others")
def test_notifications_of_others(attacker, observe, world, flood, listener_of):
    """Emits notifications without a pause, so that a running listener misses those of others."""
    heard = listener_of("notifications.info")
    with flood("notifications.info", "x" * 10_000, delivery_mode=2) as sent:
        uuid = world.boot("told-of", THEIRS)
        began, theirs, lies = time.monotonic(), set(), 0
        while not theirs >= BOOTED:
            message = heard.next()
            user, body = message.properties.get("user_id"), str(message.body)
            lies += user == attacker.user
            theirs |= {(user, event) for user_, event in BOOTED if user == user_ and uuid in body and event in body}
        took = time.monotonic() - began
        with observe():
            [attacker.publish("notifications.info", "x" * 100_000) for _ in range(100)]
    print(f"{sent.sent} were sent, {lies} came in {took:.1f} s")
    assert lies < 400 * (took + HEAD_START)
    world.delete(uuid, wait=True)


@pytest.mark.sees("a nack for each, but for a few in each moment; others are served")
def test_flow(attacker, observe, flood, others_are_served):
    """Floods the flow, which shows operators the messages of all services."""
    report = b"[" + b"{}," * 1000 + b"{}]"
    with flood("events", report):
        others_are_served("events of the flow")
        with observe():
            [attacker.publish("events", report) for _ in range(500)]


@pytest.mark.sees("a nack for each, when its queue is full")
def test_its_own_queue(attacker, observe, flood, others_are_served, stack):
    """Fills its own queue, which is not read, to leave the broker no memory and no disk."""
    with attacker.channel() as channel:
        channel.queue_bind(f"compute.{attacker.host}", attacker.lane, f"compute.{attacker.host}")
    with flood(f"compute.{attacker.host}", b"x" * 1_000_000, delivery_mode=2) as sent:
        others_are_served("its own queue")
    with observe():
        attacker.publish(f"compute.{attacker.host}", b"x" * 1_000_000)
    with attacker.channel() as channel:
        waiting = channel.queue_declare(f"compute.{attacker.host}", passive=True).message_count
        channel.queue_purge(f"compute.{attacker.host}")
    assert waiting <= 200, f"{waiting} MB of {sent.sent} wait in a queue that is not read"


def test_connections(attacker, observe, others_are_served):
    """Opens connections until others cannot open any."""
    opened = []
    try:
        with observe(caller="user connection limit"):
            opened.extend(taken_over.connect(attacker.url) for _ in range(150))
        others_are_served(f"{len(opened)} connections")
    finally:
        for connection in opened:
            connection.close()


def test_channels(attacker, observe, others_are_served):
    """Opens channels until the broker has no memory for others."""
    connection = taken_over.connect(attacker.url)
    try:
        with observe(caller=attacker.user):
            [connection.channel() for _ in range(500)]
        others_are_served("channels")
    finally:
        with suppress(*taken_over.REFUSALS):
            connection.close()


@pytest.mark.parametrize("name", ["reply_compute.host-1_{:032x}", "compute.host-1.pause.{}", "compute.host-1.{}"])
def test_queues(attacker, observe, name):
    """Declares hundreds of queues under names of its own."""
    with observe(), attacker.channel() as channel:
        for number in range(500):
            channel.queue_declare(name.format(number), durable=False, auto_delete=False)


@pytest.mark.sees("nothing: a line in ten seconds, with the count of the others")
def test_log(attacker, observe, stack):
    """Asks 300 times for the same thing that it may not have, to fill the disk with the log of that."""
    log, times, began = stack.home.log("mininova-conductor"), 300, time.monotonic()
    before = log.read_text().count("denied 'get_instances'")
    with observe.listed(attacker.user, "get_instances", times=times):
        for _ in range(times):
            attacker.publish("conductor", taken_over.request("get_instances", {"host": "host-2"}))
    lines = log.read_text().count("denied 'get_instances'") - before
    assert lines <= 1 + (time.monotonic() - began) / 10
