"""Leaving no room for others: a server is booted on another host while the flood lasts, and its time is measured."""

import os
import threading
import time
from contextlib import suppress

import amqp
import pytest

from tests.fixtures import taken_over
from tests.fixtures.taken_over import reply, request

#: Seconds that a boot may take meanwhile; without a flood it takes a tenth of one.
SERVED_WITHIN = 10.0
#: Seconds that a flood lasts before somebody else wants something.
HEAD_START = 1.5


@pytest.fixture(autouse=True)
def unchanged(attacker, stack):
    """Let the database change, for others are served; and take away what a flood leaves, for the next one to count."""
    yield
    connection = taken_over.connect(taken_over.url_in(stack.home.etc / "mininova-conductor.conf"))
    with connection.channel() as channel:
        channel.queue_purge(f"conductor.from.{attacker.user}")
    connection.close()


@pytest.fixture
def others_are_served(admin, boot, at_rest, capsys):
    """Give a function that boots a server for somebody else, deletes it, and sees that it took no time to speak of."""

    def serve(what):
        began = time.monotonic()
        server = at_rest(boot(f"meanwhile-{os.urandom(4).hex()}", "host-2"), SERVED_WITHIN)
        took = time.monotonic() - began
        admin.compute.delete_server(server)
        admin.compute.wait_for_delete(server, interval=0.1, wait=SERVED_WITHIN)
        both = time.monotonic() - began
        with capsys.disabled():
            print(f"\n    {what}: a boot took {took:.2f} s, with its delete {both:.2f} s")
        assert server.status == "ACTIVE"

    return serve


class Flood:
    """Publish as fast as the broker takes it, in a thread with a connection of its own, until the block ends.

    :ivar sent: how many so far
    """

    def __init__(self, url, key, body, *, exchange, **properties):
        self._url, self._place, self._message = url, (exchange, key), (body, properties)
        self._over, self.sent = threading.Event(), 0
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        (exchange, key), (body, properties) = self._place, self._message
        connection = taken_over.connect(self._url, confirm_publish=False)
        with suppress(*taken_over.REFUSALS):
            channel = connection.channel()
            message = amqp.Message(body, **properties)
            while not self._over.is_set():
                channel.basic_publish(message, exchange=exchange, routing_key=key)
                self.sent += 1
            connection.close()
        connection.collect()

    def __enter__(self):
        self._thread.start()
        self._over.wait(HEAD_START)
        return self

    def __exit__(self, *exc_info):
        self._over.set()
        self._thread.join(30)


@pytest.fixture
def flood(attacker):
    """Give a function that begins a flood."""

    def flood(key, body, **properties):
        return Flood(attacker.url, key, body, **{"exchange": attacker.lane, "user_id": attacker.user, **properties})

    return flood


@pytest.mark.attack(
    refused_by="nobody", sees="its answers, as fast as a few at a time are worked on; others are served"
)
def test_calls(attacker, refused, flood, others_are_served):
    """Asks the conductor for its instances without a pause."""
    body = request("get_instances", {"host": attacker.host})
    with flood("conductor", body, reply_to=f"reply_compute.{attacker.host}_{0:032x}", message_id="1") as sent:
        others_are_served("calls")
    print(f"{sent.sent} calls")
    refused.seen.add("nobody")


@pytest.mark.attack(refused_by="conductor", sees="`Forbidden`, each time; the list of denials counts them in one line")
def test_what_is_denied(attacker, refused, flood, others_are_served, rows):
    """Asks the conductor without a pause for what it may not have."""
    with flood("conductor", request("get_instances", {"host": "host-2"})) as sent:
        others_are_served("calls that are denied")
    denials = rows.read("SELECT * FROM denials")
    assert sent.sent > 100
    assert len(denials) < 2000, len(denials)
    refused.seen.add("conductor")


@pytest.mark.attack(refused_by="conductor", sees="`Forbidden`; the list of denials is bounded")
def test_denials_without_end(attacker, refused, others_are_served, rows):
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
    thread.start()
    try:
        over.wait(HEAD_START)
        others_are_served("denials of many things")
    finally:
        over.set()
        thread.join(30)
    assert len(rows.read("SELECT * FROM denials")) < 2000
    refused.seen.add("conductor")


@pytest.mark.attack(refused_by="conductor", sees="nothing, or an error for each; others are served")
def test_casts_from_nobody(attacker, refused, flood, others_are_served):
    """Sends the conductor commands that nobody signed, without a pause."""
    body = request("build_instances", {"instances": [], "request_spec": None}, _msg_id=None)
    with flood("conductor", body, user_id=None, delivery_mode=2):
        others_are_served("casts without a sender")
    refused.seen.add("conductor")


@pytest.mark.attack(refused_by="conductor", sees="an error for each; others are served")
def test_large_bodies(attacker, refused, flood, others_are_served):
    """Sends the conductor bodies of ten megabytes, without a pause."""
    with flood("conductor", b"[" + b'"x",' * 2_500_000 + b"0]"):
        others_are_served("bodies of 10 MB")
    refused.seen.add("conductor")


@pytest.mark.attack(refused_by="nobody", sees="its reports are taken, one after the other; others are served")
def test_heartbeats(refused, flood, others_are_served, service, node):
    """Sends heartbeats without a pause, each of which is a write."""
    with flood("conductor", request("report_state", {"service": service, "node": node})):
        others_are_served("heartbeats")
    refused.seen.add("nobody")


@pytest.fixture
def heard_by_the_api(attacker, console, stack, reply_queues):
    """Have the api ask the attacker something, so that it hears it; take away in the end what was not heard."""
    console.asked_of_mine()
    yield reply_queues["api"]
    connection = taken_over.connect(taken_over.url_in(stack.home.etc / "mininova-api.conf"))
    with connection.channel() as channel:
        channel.queue_purge(f"{reply_queues['api']}.from.{attacker.user}")
    connection.close()


@pytest.mark.attack(refused_by="api", sees="nothing: a few are looked at, and no more until it is asked something")
def test_replies(refused, flood, others_are_served, heard_by_the_api):
    """Floods the reply queue of the api."""
    with flood(heard_by_the_api, reply("0" * 32, "anything")):
        others_are_served("replies")
    refused.seen.add("api")


@pytest.mark.attack(
    refused_by="nobody", sees="the oldest notifications are dropped when nobody reads them; others are served"
)
def test_notifications(attacker, refused, flood, others_are_served):
    """Floods the queue of notifications with large ones."""
    with flood("notifications.info", b"x" * 100_000, delivery_mode=2):
        others_are_served("notifications")
    refused.seen.add("nobody")


@pytest.mark.attack(refused_by="nobody", sees="the flow shows what it makes up; others are served")
def test_flow(attacker, refused, flood, others_are_served):
    """Floods the flow, which shows operators the messages of all."""
    with flood("events", b"[" + b"{}," * 1000 + b"{}]", exchange="mininova.flow"):
        others_are_served("events of the flow")
    refused.seen.add("nobody")


@pytest.mark.attack(refused_by="broker", sees="its messages are dropped, or refused, when its queue is full")
def test_its_own_queue(attacker, refused, flood, others_are_served, stack):
    """Fills its own queue, which nobody empties, to leave the broker no memory and no disk."""
    with attacker.channel() as channel:
        channel.queue_bind(f"compute.{attacker.host}", attacker.lane, f"compute.{attacker.host}")
    with flood(f"compute.{attacker.host}", b"x" * 1_000_000, delivery_mode=2) as sent:
        others_are_served("its own queue")
    with attacker.channel() as channel:
        waiting = channel.queue_declare(f"compute.{attacker.host}", passive=True).message_count
        channel.queue_purge(f"compute.{attacker.host}")
    assert waiting <= 200, f"{waiting} MB of {sent.sent} wait in a queue that nobody empties"
    refused.seen.add("broker")


@pytest.mark.attack(refused_by="broker", sees="530 NOT_ALLOWED")
def test_connections(attacker, refused, others_are_served):
    """Opens connections until nobody else can."""
    opened = []
    try:
        with refused.by("rabbitmq", "user connection limit", attacker.user), pytest.raises(taken_over.REFUSALS):
            opened.extend(taken_over.connect(attacker.url) for _ in range(150))
        others_are_served(f"{len(opened)} connections")
    finally:
        for connection in opened:
            connection.close()


@pytest.mark.attack(refused_by="broker", sees="530 NOT_ALLOWED")
def test_channels(attacker, refused, others_are_served):
    """Opens channels until the broker has no memory for others."""
    connection = taken_over.connect(attacker.url)
    try:
        with refused.by("rabbitmq", attacker.user), pytest.raises(taken_over.REFUSALS):
            [connection.channel() for _ in range(500)]
        others_are_served("channels")
    finally:
        with suppress(*taken_over.REFUSALS):
            connection.close()


@pytest.mark.attack(refused_by="nobody", sees="hundreds of queues under its own name; others are served")
def test_queues(attacker, refused, others_are_served):
    """Declares queues under names of its own, as many as it likes."""
    names = [f"reply_compute.{attacker.host}_{number:032x}" for number in range(500)]
    with attacker.channel() as channel:
        for name in names:
            channel.queue_declare(name, durable=False, auto_delete=False)
        others_are_served(f"{len(names)} queues")
        for name in names:
            channel.queue_delete(name)
    refused.seen.add("nobody")


@pytest.mark.attack(refused_by="conductor", sees="nothing: a line in ten seconds, with the count of the others")
def test_log(attacker, refused, stack):
    """Has itself denied the same thing again and again, to fill the disk with the log of that."""
    log, times, began = stack.home.log("mininova-conductor"), 300, time.monotonic()
    before = log.read_text().count("denied 'get_instances'")
    with refused.listed(attacker.user, "get_instances", times):
        for _ in range(times):
            attacker.publish("conductor", taken_over.request("get_instances", {"host": "host-2"}))
    lines = log.read_text().count("denied 'get_instances'") - before
    assert lines <= 1 + (time.monotonic() - began) / 10
