"""A broker with the users of a local stack with two computes, and with what a cloud has there, to try their rights on.

A test tries things as one of them, in raw AMQP; somebody who may do everything has made what the others have.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import amqp
import pytest
from private_broker import PrivateBroker
from stack import broker

from mininova import broker_definitions, identities

E, REPLIES, TOLD, FLOW = "mininova", "mininova.reply", "mininova.notifications", "mininova.flow"
LANE, OTHERS_LANE = "mininova.from.compute.host-1", "mininova.from.compute.host-1.example"
HEX = "0123456789abcdef" * 2
COMPUTE = identities.compute("host-1")
OTHER = identities.compute("host-1.example")  # the same beginning
SERVICES = [identities.trusted(name) for name in identities.KINDS]

Try = Callable[[amqp.Channel], object]


class Broker:
    """The broker, and a channel of each of its users."""

    def __init__(self, node: PrivateBroker) -> None:
        self._node = node
        self._connections: dict[str, amqp.Connection] = {}

    def channel(self, user: str) -> amqp.Channel:
        """Open a channel as somebody; the connection is there for the next one, too."""
        if user not in self._connections:
            host, port = self._node.url.rpartition("@")[2].strip("/").split(":")
            made = amqp.Connection(f"{host}:{port}", userid=user, password="secret", login_method="PLAIN")
            made.connect()
            self._connections[user] = made
        return self._connections[user].channel()

    def tries(self, user: str, tried: Try) -> str:
        """Have somebody try something, and give what the broker refuses it with; "" when it does not."""
        channel = self.channel(user)
        try:
            tried(channel)
            channel.close()
        except amqp.exceptions.AccessRefused as error:
            return str(error.message)
        return ""

    def close(self) -> None:
        """Close every connection."""
        for connection in self._connections.values():
            connection.close()


@pytest.fixture(scope="module")
def rabbit(rabbitmq_server: Path) -> Iterator[Broker]:
    """Run a broker whose users are those of a stack with two computes, and one who may do everything."""
    folder = Path(tempfile.mkdtemp(prefix="mininova-"))
    passwords = dict.fromkeys((*SERVICES, COMPUTE, OTHER), "secret")
    node = PrivateBroker(
        folder,
        rabbitmq_server,
        definitions=broker_definitions.together(
            broker.one_user("secret"),
            broker_definitions.users(passwords),
            broker_definitions.places(),
            broker_definitions.lanes([COMPUTE, OTHER]),
        ),
    )
    node.start()
    made = Broker(node)
    make_what_others_have(made.channel(broker.USER))
    yield made
    made.close()
    node.kill()
    shutil.rmtree(folder)


def make_what_others_have(channel: amqp.Channel) -> None:
    """Make a queue for each of those that a cloud has, bound as it is there."""
    for queue, exchange in QUEUES.items():
        channel.queue_declare(queue, durable=True, auto_delete=False)
        channel.queue_bind(queue, exchange, queue)
    for queue in (FROM_IT, ANSWERS):
        channel.queue_declare(queue, durable=True, auto_delete=False)
    channel.queue_bind(ANSWERS, LANE, ANSWERS.partition(".from.")[0])
    for topic in ("conductor", "scheduler"):
        channel.exchange_declare(f"{topic}_fanout", "fanout", durable=False, auto_delete=True)
        channel.queue_bind(topic, f"{topic}_fanout")


QUEUES = {
    **dict.fromkeys(["conductor", "conductor.ctl-1", "conductor.dead", "conductor.pause.1", "scheduler"], E),
    **dict.fromkeys(["compute.host-1", "compute.host-1.dead", "compute.host-1.pause.5"], E),
    **dict.fromkeys(["compute.host-1.example", "compute.host-1.example.dead", "compute.host-1.example.pause.5"], E),
    **dict.fromkeys(["notifications.info", "notifications.error"], TOLD),
    **{f"reply_{name}_{HEX}": REPLIES for name in ("api.ctl-1", "conductor.ctl-1", "scheduler.ctl-1")},
    **{f"reply_compute.{name}_{HEX}": REPLIES for name in ("host-1", "host-1.example")},
}
OWN = {"compute.host-1", "compute.host-1.dead", "compute.host-1.pause.5", f"reply_compute.host-1_{HEX}"}
FOREIGN = sorted(QUEUES.keys() - OWN)

# What others have behind its lane.
FROM_IT, ANSWERS = "conductor.from.compute.host-1", f"reply_api.ctl-1_{HEX}.from.compute.host-1"


def publish(exchange: str, key: str, **properties: object) -> Try:
    """Publish, and wait for what the broker says of it."""

    def tried(channel: amqp.Channel) -> None:
        channel.confirm_select()
        message = amqp.Message(b"{}", **properties)
        channel.basic_publish_confirm(message, exchange, key)

    return tried


def declare(queue: str, **arguments: object) -> Try:
    """Declare a durable queue."""
    return lambda channel: channel.queue_declare(queue, durable=True, auto_delete=False, arguments=arguments)


def bind(queue: str, exchange: str, key: str) -> Try:
    """Bind a queue."""
    return lambda channel: channel.queue_bind(queue, exchange, key)


def whose(rabbit: Broker, queue: str) -> list[str | None]:
    """Give the user of each message that a queue has."""
    channel, found = rabbit.channel(broker.USER), list[str | None]()
    while (message := channel.basic_get(queue, no_ack=True)) is not None:
        found.append(message.properties.get("user_id"))
    return found
