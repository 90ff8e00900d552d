"""The rights of each identity, held against a real RabbitMQ: what each may do works, and nothing else does.

The broker has the users of a local stack with two computes.  A test makes what the others have as somebody who may do
everything, and then tries things as one of them, in raw AMQP.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import amqp
import pytest
from private_broker import PrivateBroker
from stack import broker

from mininova import broker_definitions, identities

E, REPLIES, TOLD, FLOW = "mininova", "mininova.reply", "mininova.notifications", "mininova.flow"
LANE, OTHERS_LANE = "mininova.from.compute.host-1", "mininova.from.compute.host-1.example"
HEX = uuid4().hex
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


# ---- what a compute may


@pytest.mark.parametrize("queue", sorted(OWN))
def test_a_compute_has_its_own_queues(rabbit: Broker, queue: str):
    """It declares, binds, reads and empties them."""
    for tried in (
        declare(queue),
        bind(queue, QUEUES[queue], queue),
        bind(queue, LANE, queue),
        lambda channel: channel.basic_get(queue),
        lambda channel: channel.basic_consume(queue),
        lambda channel: channel.queue_purge(queue),
    ):
        assert rabbit.tries(COMPUTE.name, tried) == ""


def test_a_compute_has_a_pause_for_its_casts(rabbit: Broker):
    """A queue of its own may send what has waited there back to its lane."""
    back = {"x-message-ttl": 1000, "x-dead-letter-exchange": LANE, "x-dead-letter-routing-key": "compute.host-1"}
    assert rabbit.tries(COMPUTE.name, declare("compute.host-1.pause.30", **back)) == ""


@pytest.mark.parametrize(
    ("key", "queue"),
    [
        ("conductor", FROM_IT),
        ("notifications.info", "notifications.info"),
        ("notifications.error", "notifications.error"),
        ("compute.host-1.pause.5", "compute.host-1.pause.5"),
        (ANSWERS.partition(".from.")[0], ANSWERS),
    ],
)
def test_a_compute_sends_where_it_must(rabbit: Broker, key: str, queue: str):
    """To the conductor, to listeners, to who asked it something, and to itself: all by its lane."""
    assert rabbit.tries(COMPUTE.name, bind("compute.host-1.pause.5", LANE, "compute.host-1.pause.5")) == ""
    whose(rabbit, queue)

    assert rabbit.tries(COMPUTE.name, publish(LANE, key, user_id=COMPUTE.name)) == ""

    assert whose(rabbit, queue) == [COMPUTE.name]


def test_a_compute_shows_its_messages(rabbit: Broker):
    """It tells those who watch the flow."""
    assert rabbit.tries(COMPUTE.name, publish(FLOW, "events", user_id=COMPUTE.name)) == ""


# ---- what a compute may not


@pytest.mark.parametrize("queue", FOREIGN)
def test_a_compute_has_no_queue_of_others(rabbit: Broker, queue: str):
    """It cannot read, empty, declare, delete, bind or unbind one."""
    for tried in (
        lambda channel: channel.basic_get(queue),
        lambda channel: channel.basic_consume(queue),
        lambda channel: channel.queue_purge(queue),
        declare(queue),
        lambda channel: channel.queue_delete(queue),
        bind(queue, E, "compute.host-1"),
        lambda channel: channel.queue_unbind(queue, QUEUES[queue], queue),
    ):
        assert "refused" in rabbit.tries(COMPUTE.name, tried)


@pytest.mark.parametrize(
    ("exchange", "key"),
    [
        *((QUEUES[queue], queue) for queue in FOREIGN),
        *((QUEUES[queue], queue) for queue in sorted(OWN)),
        *((OTHERS_LANE, key) for key in ("conductor", "notifications.info", "compute.host-1.example", "")),
        (E, "compute"),
        (E, "compute.host-2"),
        (E, "#"),
        (E, ""),
        (REPLIES, f"reply_manage.ctl-1_{HEX}"),
        (REPLIES, "compute.host-2"),
        (TOLD, "anything"),
        ("", "compute.host-1.example"),
        ("", "conductor"),
        ("", FROM_IT),
        ("", "compute.host-1"),
        ("conductor_fanout", ""),
        ("scheduler_fanout", ""),
        ("amq.topic", "compute.host-1.example"),
        ("amq.fanout", ""),
    ],
)
def test_a_compute_sends_nowhere_else(rabbit: Broker, exchange: str, key: str):
    """Not to the exchanges that others read from, to another's lane, nor past both through a third."""
    assert "refused" in rabbit.tries(COMPUTE.name, publish(exchange, key, user_id=COMPUTE.name))


@pytest.mark.parametrize(
    ("exchange", "key"),
    [
        (E, "#"),
        (E, "*"),
        (E, "*.*"),
        (E, "compute.*"),
        (E, "compute.#"),
        (E, "compute.host-1.#"),
        (E, "compute.host-1.example"),
        (E, "conductor"),
        (E, "notifications.info"),
        (E, ""),
        (TOLD, "notifications.info"),
        (TOLD, "#"),
        (OTHERS_LANE, "#"),
        (OTHERS_LANE, "conductor"),
        (REPLIES, "#"),
        (REPLIES, f"reply_compute.host-1.example_{HEX}"),
        (REPLIES, f"reply_api.ctl-1_{HEX}"),
        (FLOW, "events"),
        (FLOW, "#"),
        ("conductor_fanout", ""),
        ("amq.topic", "#"),
    ],
)
def test_a_compute_binds_its_own_keys_only(rabbit: Broker, exchange: str, key: str):
    """A queue of its own hears nothing that is meant for others, nor does an exchange bound for it."""
    assert "refused" in rabbit.tries(COMPUTE.name, bind("compute.host-1", exchange, key))
    assert "refused" in rabbit.tries(COMPUTE.name, lambda channel: channel.exchange_bind(FLOW, exchange, key))


@pytest.mark.parametrize(
    "name", [E, REPLIES, TOLD, FLOW, LANE, OTHERS_LANE, "conductor_fanout", "mine", "compute.host-2"]
)
def test_a_compute_makes_and_removes_no_exchange(rabbit: Broker, name: str):
    """Not even one that is there as it would make it."""
    declared = rabbit.tries(COMPUTE.name, lambda channel: channel.exchange_declare(name, "topic", durable=True))
    assert "refused" in declared
    assert "refused" in rabbit.tries(COMPUTE.name, lambda channel: channel.exchange_delete(name))


@pytest.mark.parametrize(
    "queue",
    [
        "mine",
        "compute",
        "compute.host-2",
        "compute.host-1x",
        "compute.host-10",
        "compute.host-1.more",
        "compute.host-1.pause",
        "xcompute.host-1",
        f"reply_compute.host-1_{HEX}x",
        f"reply_compute.host-2_{HEX}",
        "notifications.info.mine",
    ],
)
def test_a_compute_makes_no_other_queue(rabbit: Broker, queue: str):
    """A name that only looks like its own is not."""
    assert "refused" in rabbit.tries(COMPUTE.name, declare(queue))


def test_a_compute_makes_no_queue_with_a_name_of_the_brokers_choice(rabbit: Broker):
    """Such a queue could be read without a right to its name."""
    assert "refused" in rabbit.tries(COMPUTE.name, lambda channel: channel.queue_declare(""))


@pytest.mark.parametrize("letter_box", ["", E, REPLIES, TOLD, OTHERS_LANE, "amq.topic", "conductor_fanout"])
def test_a_compute_has_nothing_sent_on_through_another_exchange(rabbit: Broker, letter_box: str):
    """A queue of its own that sends on what died in it sends to where it may publish itself."""
    back = {"x-dead-letter-exchange": letter_box, "x-dead-letter-routing-key": "compute.host-1.example"}
    assert "refused" in rabbit.tries(COMPUTE.name, declare("compute.host-1.pause.7", **back))


def test_nobody_publishes_in_anothers_name(rabbit: Broker):
    """The broker takes no message whose user is not the one that publishes it."""
    for user in ("compute.host-1", "api", "conductor", "manage"):
        channel = rabbit.channel(user)
        with pytest.raises(amqp.exceptions.PreconditionFailed, match="user_id"):
            publish(LANE if user.startswith("compute") else E, "conductor", user_id="compute.host-1.example")(channel)


# ---- what the broker does not look at: more keys than one, and where a message that died goes


@pytest.mark.parametrize("header", ["CC", "BCC"])
def test_a_second_key_leads_nowhere_else(rabbit: Broker, header: str):
    """The broker asks for the routing key alone, and not for those in these headers; but a lane leads nowhere else."""
    for queue in (*QUEUES, FROM_IT, ANSWERS):
        rabbit.channel(broker.USER).queue_purge(queue)
    keys = ["#", "*", "", *QUEUES, ANSWERS, *(f"{lane}.{key}" for lane in (LANE, OTHERS_LANE) for key in ("#", ""))]

    sent = publish(LANE, "nowhere", user_id=COMPUTE.name, application_headers={header: keys})
    assert rabbit.tries(COMPUTE.name, sent) == ""

    reached = {queue for queue in (*QUEUES, FROM_IT, ANSWERS) if whose(rabbit, queue)}
    assert reached - OWN == {FROM_IT, ANSWERS, "notifications.info", "notifications.error"}


def test_a_dead_letter_leads_nowhere_else(rabbit: Broker):
    """What died in a queue of its own goes back by its lane, under any key: and there only its own things are."""
    for queue in QUEUES:
        rabbit.channel(broker.USER).queue_purge(queue)
    trap = "compute.host-1.pause.0"
    on = {"x-message-ttl": 0, "x-dead-letter-exchange": LANE, "x-dead-letter-routing-key": "compute.host-1.example"}
    assert rabbit.tries(COMPUTE.name, declare(trap, **on)) == ""
    assert rabbit.tries(COMPUTE.name, bind(trap, E, "compute.host-1")) == ""

    assert rabbit.tries("conductor", publish(E, "compute.host-1", user_id="conductor")) == ""

    assert {queue for queue in QUEUES if whose(rabbit, queue)} == {"compute.host-1"}


def whose(rabbit: Broker, queue: str) -> list[str | None]:
    """Give the user of each message that a queue has."""
    channel, found = rabbit.channel(broker.USER), list[str | None]()
    while (message := channel.basic_get(queue, no_ack=True)) is not None:
        found.append(message.properties.get("user_id"))
    return found


# ---- the services


@pytest.mark.parametrize(
    ("user", "tried"),
    [
        ("api", publish(E, "conductor")),
        ("api", publish(E, "compute.host-1")),
        ("api", publish(TOLD, "notifications.info")),
        ("api", declare("notifications.error")),
        ("api", declare(ANSWERS)),
        ("api", bind(ANSWERS, LANE, ANSWERS.partition(".from.")[0])),
        ("api", lambda channel: channel.basic_get(ANSWERS)),
        ("scheduler", declare("scheduler")),
        ("scheduler", publish(REPLIES, f"reply_conductor.ctl-1_{HEX}")),
        ("conductor", declare("conductor.ctl-2")),
        ("conductor", lambda channel: channel.exchange_declare(LANE, "topic", durable=True, auto_delete=False)),
        ("conductor", declare(FROM_IT)),
        ("conductor", bind(FROM_IT, LANE, "conductor")),
        ("conductor", lambda channel: channel.basic_get(FROM_IT)),
        ("conductor", publish(E, "scheduler")),
        ("conductor", publish(E, "compute.host-1.example")),
        ("conductor", publish(E, "conductor.dead")),
        ("conductor", publish(REPLIES, f"reply_compute.host-1_{HEX}")),
        ("manage", lambda channel: channel.basic_get("conductor.dead")),
        ("manage", lambda channel: channel.basic_get("compute.host-1.dead")),
        ("manage", publish(E, "compute.host-1")),
        ("manage", declare("notifications.info.billing")),
        ("manage", declare(f"reply_billing_{HEX}")),
        ("manage", bind("notifications.info", TOLD, "notifications.info")),
        ("manage", publish("conductor_fanout", "")),
        ("flow", declare(f"reply_flow.ctl-1_{HEX}")),
        ("flow", declare(f"flow_collector_{HEX}")),
        ("flow", bind("notifications.info", FLOW, "events")),
    ],
)
def test_a_service_may_do_its_work(rabbit: Broker, user: str, tried: Try):
    """Each has what it needs."""
    assert rabbit.tries(user, tried) == ""


@pytest.mark.parametrize(
    ("user", "tried"),
    [
        ("api", lambda channel: channel.basic_get("conductor")),
        ("api", lambda channel: channel.basic_get("compute.host-1")),
        ("api", lambda channel: channel.basic_get("notifications.info")),
        ("api", publish(E, "scheduler")),
        ("api", publish(LANE, "conductor")),
        ("scheduler", bind("scheduler", LANE, "conductor")),
        ("conductor", publish(LANE, "notifications.info")),
        ("manage", publish(LANE, "conductor")),
        ("api", publish(REPLIES, f"reply_conductor.ctl-1_{HEX}")),
        ("scheduler", publish(E, "conductor")),
        ("scheduler", publish(E, "compute.host-1")),
        ("scheduler", publish(REPLIES, f"reply_api.ctl-1_{HEX}")),
        ("scheduler", lambda channel: channel.basic_get(f"reply_conductor.ctl-1_{HEX}")),
        ("conductor", lambda channel: channel.basic_get("compute.host-1")),
        ("conductor", lambda channel: channel.basic_get("scheduler")),
        ("manage", lambda channel: channel.basic_get("conductor")),
        ("manage", lambda channel: channel.basic_get(f"reply_conductor.ctl-1_{HEX}")),
        ("manage", declare(f"reply_compute.host-1_{HEX}")),
        ("manage", lambda channel: channel.queue_delete("conductor.dead")),
        ("flow", publish(REPLIES, f"reply_api.ctl-1_{HEX}")),
    ],
)
def test_a_service_may_do_no_more(rabbit: Broker, user: str, tried: Try):
    """None reads what is for another, nor answers for it."""
    assert "refused" in rabbit.tries(user, tried)


@pytest.mark.parametrize("identity", SERVICES, ids=lambda identity: identity.name)
def test_no_service_uses_the_default_exchange(rabbit: Broker, identity: identities.Identity):
    """It puts a message into any queue by its name."""
    assert "refused" in rabbit.tries(identity.name, publish("", "compute.host-1"))


def test_there_is_no_guest(rabbit: Broker):
    """The user that every RabbitMQ has is not made."""
    with pytest.raises(amqp.exceptions.AccessRefused):
        rabbit.channel("guest")
