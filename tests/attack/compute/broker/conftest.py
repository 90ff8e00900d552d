"""The attacks on AMQP itself, what it binds, declares and floods; and answers, which need a caller that waits."""

import json
import os
import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from uuid import uuid4

import amqp
import openstack
import pytest
from stack.brokers import QPID

from mininova import conf
from mininova.manage.broker_admin import BrokerAdmin
from mininova.manage.broker_watch import Watch
from mininova.manage.qpidctl import Broker
from tests.fixtures import taken_over
from tests.fixtures.attack_worlds import MINE, THEIRS
from tests.fixtures.observations import BROKER, NO_ONE, NOTHING
from tests.fixtures.taken_over import PATIENCE

#: Seconds that a boot may take meanwhile; without a flood it takes a tenth of one.
SERVED_WITHIN = 10.0
#: What a flood is ahead by when another user wants something: so many messages, or these seconds where it is held back.
AHEAD, HEAD_START = 5_000, 1.5


@pytest.fixture(scope="session")
def world(broker_world):
    """Give the stack."""
    return broker_world


@pytest.fixture(scope="session")
def keeper(world, stack):
    """Give that user of a Qpid; None on RabbitMQ, which lets an attacker bind nothing."""
    if world.broker != QPID:
        return None
    node = json.loads((stack.home.broker / "node.json").read_text())
    (http,) = (port["port"] for port in node["ports"] if port["name"] == "http")
    ((user, password),) = (
        (it["name"], it["password"]) for each in node["authenticationproviders"] for it in each["users"]
    )
    return Broker(f"http://127.0.0.1:{http}", user, password)


@pytest.fixture(autouse=True)
def unbound(keeper):
    """Undo what an attack has bound where the broker did not refuse it: the next one is to show what it does itself."""
    before = keeper.defined()["bindings"] if keeper else []
    yield
    for binding in keeper.defined()["bindings"] if keeper else []:
        words = binding["destination"], binding["routing_key"]
        if binding not in before and any(word.startswith(f"compute.{MINE}") for word in words):
            keeper.unbind(binding)


@pytest.fixture
def logs(world):
    """Give the logs of all services as they grow."""
    return world.logs


@pytest.fixture(scope="session")
def reply_queues(world):
    """Name the reply queues of all processes."""
    return world.reply_queues()


class Console:
    """A user looks at a console: the one call by which the api asks a compute something that changes nothing."""

    def __init__(self, world):
        self._admin, self._attacker, self._servers = world.admin, world.attacker, world.servers

    def asked_of_mine(self, answer=None):
        """Have the console of the attacker's own server asked for, take that call, and answer it honestly.

        :param answer: publishes something else instead, given the call
        :return: the call, and what the user got
        """
        with ThreadPoolExecutor(1) as user:
            seen = user.submit(self.look, MINE)
            call = self._attacker.take("get_console_output")
            (answer or self.honestly)(call)
            return call, seen.result(PATIENCE)

    def honestly(self, call, result="all is well"):
        """Answer a call."""
        body = taken_over.reply(call.message_id, result)
        self._attacker.publish(call.reply_to, body)

    def look(self, host):
        """Look at the console of the server on a host, and give its text, or the error that the user gets."""
        try:
            return self._admin.compute.get_server_console_output(self._servers[host])["output"]
        except openstack.exceptions.HttpException as error:
            return error


@pytest.fixture
def console(world):
    """Give what a user sees of a console."""
    return Console(world)


class Queue:
    """A queue that an operator reads, to see what really passes; a new one, if it is to be filled from an exchange."""

    def __init__(self, url, name, exchange=None, key=None):
        self._connection = taken_over.connect(url)
        self._channel, self._came = self._connection.channel(), deque()
        if exchange is not None:
            self._channel.queue_declare(name, durable=False, auto_delete=True)
            self._channel.queue_bind(name, exchange, key)
        self._channel.basic_consume(name, no_ack=True, callback=self._came.append)

    def next(self):
        """Wait for the next message."""
        while not self._came:
            self._connection.drain_events(timeout=PATIENCE)
        return self._came.popleft()

    def close(self):
        """Leave the broker; a new queue goes, too: it would fill up, and a full one has senders refused."""
        self._connection.close()


@pytest.fixture
def others_are_served(world, capsys):
    """Give a function that boots a server on another host, deletes it, and sees that it took little time."""

    def serve(what):
        began = time.monotonic()
        uuid = world.boot(f"meanwhile-{os.urandom(4).hex()}", "host-2")
        status = world.at_rest(uuid, SERVED_WITHIN)
        took = time.monotonic() - began
        world.delete(uuid, wait=True)
        both = time.monotonic() - began
        with capsys.disabled():
            print(f"\n    {what}: a boot took {took:.2f} s, with its delete {both:.2f} s")
        assert status == "ACTIVE"
        assert both < SERVED_WITHIN

    return serve


class Flood:
    """Publish as fast as the broker takes it, in a thread with a connection of its own, until the block ends.

    :ivar sent: how many so far
    """

    def __init__(self, url, key, body, *, exchange, **properties):
        self._url, self._place, self._message = url, (exchange, key), (body, properties)
        self._ahead, self._over, self.sent = threading.Event(), threading.Event(), 0
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
                if self.sent == AHEAD:
                    self._ahead.set()
            connection.close()
        connection.collect()
        self._ahead.set()

    def __enter__(self):
        self._thread.start()
        self._ahead.wait(HEAD_START)
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


@pytest.fixture
def flow(stack):
    """Give a function that waits for an event of the flow with these fields.

    What came before it is in its list ``passed_over``.
    """
    url = taken_over.url_in(stack.home.etc / "mininova.conf", stack.home.etc / "mininova-flow.conf")
    queue, events = Queue(url, f"flow_tail_{uuid4().hex}", "mininova.flow", "events"), deque()

    def next_event(**fields):
        while True:
            while events:
                if fields.items() <= (event := events.popleft()).items():
                    return event
                next_event.passed_over.append(event)
            events.extend(json.loads(queue.next().body))

    next_event.passed_over = []
    yield next_event
    queue.close()


@pytest.fixture
def held_by_the_broker(stack, attacker):
    """Give a function that tells how many bytes the broker holds for the attacker's connections."""
    watch = Watch(BrokerAdmin(conf.read_files("manage", [stack.home.etc / "mininova.conf"])), "/")
    return lambda: watch.look().users[attacker.user]


@pytest.fixture
def listener_of(stack):
    """Give a function that begins to read a queue of notifications, as a listener."""
    queues = []

    def read(name):
        queues.append(Queue(taken_over.url_in(stack.home.etc / "mininova.conf"), name))
        return queues[-1]

    yield read
    for queue in queues:
        queue.close()


@pytest.fixture
def listener(listener_of):
    """Give a function that waits for the notification with a body, and gives all up to it, as a listener."""
    queue = listener_of("notifications.info")

    def up_to(body):
        came = [queue.next()]
        while came[-1].body not in (body, body.encode()):  # text, if its sender said how it is encoded
            came.append(queue.next())
        return came

    return up_to


@pytest.fixture
def reaching_no_other(observe, console, flow):
    """Give a block in which nothing must reach the other compute, which is asked next, and had nothing else."""

    @contextmanager
    def reaching_no_other() -> Iterator[None]:
        yield
        asked = {"method": "get_console_output", "receiver": f"compute.{THEIRS}"}
        assert isinstance(console.look(THEIRS), str)
        flow(kind="received", **asked)
        came = [event for event in flow.passed_over if event["receiver"] == asked["receiver"]]
        others = [event for event in came if (event["kind"], event["method"]) != ("sent", asked["method"])]
        observe.seen.add((NO_ONE, "it arrives") if others else (BROKER, NOTHING))

    return reaching_no_other
