"""A compute's rights on a real broker: what it needs works, and the broker refuses the rest.

Most of it holds on ``either``, RabbitMQ and Qpid; what only RabbitMQ keeps names ``rabbit``.
"""

import time

import amqp
import pytest
from stack import broker

from mininova.trust.broker import definitions
from tests.fixtures.rights_bench import (
    ANSWERS,
    COMPUTE,
    FLOW,
    FOREIGN,
    FROM_IT,
    HEX,
    LANE,
    OTHERS_LANE,
    OWN,
    OWN_REPLIES,
    QUEUES,
    REPLIES,
    TOLD,
    Broker,
    E,
    bind,
    declare,
    either,
    publish,
    qpid,
    rabbit,
    whose,
)

__all__ = ["either", "qpid", "rabbit"]


# ---- what a compute may


@pytest.mark.parametrize("queue", sorted(OWN))
def test_a_compute_has_its_own_queues(either: Broker, queue: str):
    """It declares its own queues, binds them to its lane, reads and empties them."""
    for tried in (
        declare(queue),
        bind(queue, LANE, queue),
        lambda channel: channel.basic_get(queue),
        lambda channel: channel.basic_consume(queue),
        lambda channel: channel.queue_purge(queue),
    ):
        assert either.tries(COMPUTE.name, tried) == ""


def test_a_compute_reads_the_queue_of_its_replies(rabbit: Broker):
    """It can do nothing else with it, which was made and bound for it."""
    assert rabbit.tries(COMPUTE.name, lambda channel: channel.queue_declare(OWN_REPLIES, passive=True)) == ""
    assert rabbit.tries(COMPUTE.name, lambda channel: channel.basic_consume(OWN_REPLIES)) == ""
    for tried in (declare(OWN_REPLIES), bind(OWN_REPLIES, REPLIES, OWN_REPLIES), bind(OWN_REPLIES, LANE, "conductor"),
                  lambda channel: channel.queue_delete(OWN_REPLIES)):  # fmt: skip
        assert "refused" in rabbit.tries(COMPUTE.name, tried)


def test_a_compute_has_a_pause_for_its_casts(either: Broker):
    """Messages that have waited in its pause queue may go back to it by its lane."""
    back = either.dialect.pause(LANE, "compute.host-1", 30)
    assert either.tries(COMPUTE.name, declare("compute.host-1.pause.30", **back)) == ""


@pytest.mark.parametrize(
    ("key", "queue"),
    [
        ("conductor", FROM_IT),
        ("compute.host-1.pause.5", "compute.host-1.pause.5"),
        (ANSWERS.partition(".from.")[0], ANSWERS),
    ],
)
def test_a_compute_sends_to_the_receivers_it_needs(either: Broker, key: str, queue: str):
    """It sends to the conductor, to its callers and to itself, all by its lane."""
    assert either.tries(COMPUTE.name, bind("compute.host-1.pause.5", LANE, "compute.host-1.pause.5")) == ""
    whose(either, queue)

    assert either.tries(COMPUTE.name, publish(LANE, key, user_id=COMPUTE.name)) == ""

    assert whose(either, queue) == [COMPUTE.name]


@pytest.mark.parametrize(
    ("key", "exchange"), [("notifications.info", TOLD), ("notifications.error", TOLD), ("events", FLOW)]
)
def test_a_compute_tells_those_who_listen(either: Broker, key: str, exchange: str):
    """Its notifications and its events of the flow go by its lane, and on to the listeners, with its name on them."""
    listening = either.channel(broker.USER)
    heard = listening.queue_declare("", exclusive=True).queue
    listening.queue_bind(heard, exchange, key)
    came: list[amqp.Message] = []
    listening.basic_consume(heard, no_ack=True, callback=came.append)

    assert either.tries(COMPUTE.name, publish(LANE, key, user_id=COMPUTE.name)) == ""

    while not came:
        listening.connection.drain_events(timeout=30)
    assert came[0].properties["user_id"] == COMPUTE.name


@pytest.mark.parametrize("body", [b"{}", b"x" * 100_000], ids=["many", "large"])
def test_a_compute_tells_so_much_only(rabbit: Broker, body: bytes):
    """Those who listen get a few hundred notifications a second, and a few MiB, however fast a compute publishes."""
    taken, began = 0, time.monotonic()
    with rabbit.channel(COMPUTE.name) as channel:
        channel.confirm_select()
        for _ in range(500):
            try:
                channel.basic_publish_confirm(amqp.Message(body), LANE, "notifications.info")
                taken += 1
            except amqp.exceptions.MessageNacked:
                continue
    most = min(definitions.PACE["x-max-length"], 1 + definitions.PACE["x-max-length-bytes"] // len(body))
    assert taken <= most * (1 + (time.monotonic() - began) / (definitions.PACE["x-message-ttl"] / 1000))


# ---- what a compute may not


@pytest.mark.parametrize("queue", FOREIGN)
def test_a_compute_has_no_queue_of_others(either: Broker, queue: str):
    """It cannot read, empty, declare, delete, bind or unbind a queue of another service."""
    for tried in (
        lambda channel: channel.basic_get(queue),
        lambda channel: channel.basic_consume(queue),
        lambda channel: channel.queue_purge(queue),
        declare(queue),
        lambda channel: channel.queue_delete(queue),
        lambda channel: channel.queue_unbind(queue, QUEUES[queue], queue),
    ):
        assert "refused" in either.tries(COMPUTE.name, tried)


@pytest.mark.parametrize("queue", FOREIGN)
def test_a_compute_binds_no_queue_of_others(rabbit: Broker, queue: str):
    """It cannot have its messages come into another queue by a binding."""
    assert "refused" in rabbit.tries(COMPUTE.name, bind(queue, E, "compute.host-1"))


@pytest.mark.parametrize(("queue", "exchange"), [("compute.host-1", E), ("compute.host-2", LANE)])
def test_qpid_asks_no_rule_about_a_binding(qpid: Broker, queue: str, exchange: str):
    """It has rules for that, and Broker-J 9.2 looks at them when it is asked over HTTP, not over AMQP.

    A compute can have copies of what is meant for others, and put messages into their queues, in its own name.
    """
    qpid.channel(broker.USER).queue_declare("compute.host-2", durable=True, auto_delete=False)
    assert qpid.tries(COMPUTE.name, bind(queue, exchange, "#")) == ""
    qpid.channel(broker.USER).queue_unbind(queue, exchange, "#")


def test_a_compute_fills_an_operators_list_on_qpid(qpid: Broker):
    """What it puts into the list of parked casts has its own name, or none; `mininova-manage rpc parked` shows that."""
    operator = qpid.channel(broker.USER)
    operator.queue_declare("conductor.dead", durable=True, auto_delete=False)
    assert qpid.tries(COMPUTE.name, bind("conductor.dead", LANE, "conductor.dead")) == ""
    for user in ("conductor", COMPUTE.name, None):
        refused = qpid.tries(COMPUTE.name, publish(LANE, "conductor.dead", user_id=user))
        assert ("refused" in refused) == (user == "conductor")
    operator.queue_unbind("conductor.dead", LANE, "conductor.dead")

    assert whose(qpid, "conductor.dead") == [COMPUTE.name, None]


@pytest.mark.parametrize(
    ("exchange", "key"),
    [
        *((QUEUES[queue], queue) for queue in FOREIGN),
        *((QUEUES[queue], queue) for queue in sorted(OWN)),
        (FLOW, "events"),
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
def test_a_compute_sends_nowhere_else(either: Broker, exchange: str, key: str):
    """The broker refuses its messages to the exchanges that others read from, to another's lane, and past both through
    a third.
    """
    assert "refused" in either.tries(COMPUTE.name, publish(exchange, key, user_id=COMPUTE.name))


@pytest.mark.parametrize(
    ("exchange", "key"),
    [
        (E, "#"),
        (E, "*"),
        (E, "*.*"),
        (E, "compute.*"),
        (E, "compute.#"),
        (E, "compute.host-1.#"),
        (E, "compute.host-1"),
        (E, "compute.host-1.example"),
        (E, "conductor"),
        (E, "notifications.info"),
        (E, ""),
        (TOLD, "notifications.info"),
        (TOLD, "#"),
        (LANE, "#"),
        (LANE, "compute.*"),
        (LANE, "conductor"),
        (LANE, "notifications.info"),
        (LANE, ANSWERS.partition(".from.")[0]),
        (OTHERS_LANE, "#"),
        (OTHERS_LANE, "conductor"),
        (REPLIES, "#"),
        (REPLIES, OWN_REPLIES),
        (REPLIES, f"reply_compute.host-1.example_{HEX}"),
        (REPLIES, f"reply_api.ctl-1_{HEX}"),
        (FLOW, "events"),
        (FLOW, "#"),
        ("conductor_fanout", ""),
        ("amq.topic", "#"),
    ],
)
def test_a_compute_binds_its_own_keys_only(rabbit: Broker, exchange: str, key: str):
    """It cannot bind a queue of its own, or an exchange, to keys meant for others."""
    assert "refused" in rabbit.tries(COMPUTE.name, bind("compute.host-1", exchange, key))
    assert "refused" in rabbit.tries(COMPUTE.name, lambda channel: channel.exchange_bind(LANE, exchange, key))


@pytest.mark.parametrize(
    "name", [E, REPLIES, TOLD, FLOW, LANE, OTHERS_LANE, "conductor_fanout", "mine", "compute.host-2"]
)
def test_a_compute_makes_and_removes_no_exchange(either: Broker, name: str):
    """It cannot declare or delete an exchange, not even one that exists with the same properties."""
    declared = either.tries(COMPUTE.name, lambda channel: channel.exchange_declare(name, "topic", durable=True))
    assert "refused" in declared
    assert either.tries(COMPUTE.name, lambda channel: channel.exchange_delete(name)) != ""


@pytest.mark.parametrize("name", sorted(OWN))
def test_a_compute_makes_no_exchange_on_qpid(qpid: Broker, name: str):
    """Not even under the name of a queue of its own: a queue sends what it gives up to an exchange likewise."""
    assert "refused" in qpid.tries(COMPUTE.name, lambda channel: channel.exchange_declare(name, "fanout"))


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
        "compute.host-1.pause.6",
        f"reply_compute.host-1_{HEX}",
        "xcompute.host-1",
        f"reply_compute.host-2_{HEX}",
        "notifications.info.mine",
    ],
)
def test_a_compute_makes_no_other_queue(either: Broker, queue: str):
    """It cannot declare a queue whose name only looks like its own."""
    assert "refused" in either.tries(COMPUTE.name, declare(queue))


def test_a_compute_makes_no_queue_whose_name_goes_on_after_its_own(rabbit: Broker):
    """Qpid compares the beginning, so there it can: such a name is none of another's."""
    assert "refused" in rabbit.tries(COMPUTE.name, declare(f"reply_compute.host-1_{HEX}x"))


def test_a_compute_makes_no_queue_with_a_name_of_the_brokers_choice(either: Broker):
    """Such a queue could be read without a right to its name."""
    assert "refused" in either.tries(COMPUTE.name, lambda channel: channel.queue_declare(""))


@pytest.mark.parametrize("letter_box", ["", E, REPLIES, TOLD, OTHERS_LANE, "amq.topic", "conductor_fanout"])
def test_a_compute_has_nothing_sent_on_through_another_exchange(rabbit: Broker, letter_box: str):
    """Its pause queue may send expired messages only to an exchange that it may publish to itself."""
    back = {"x-dead-letter-exchange": letter_box, "x-dead-letter-routing-key": "compute.host-1.example"}
    assert "refused" in rabbit.tries(COMPUTE.name, declare("compute.host-1.pause.1", **back))


@pytest.mark.parametrize(
    "there", ["compute.host-1.example", "conductor", E, REPLIES, TOLD, LANE, OTHERS_LANE, "amq.topic"]
)
def test_a_compute_has_nothing_sent_on_by_qpid(qpid: Broker, there: str):
    """Likewise, where a queue names what it sends to, be it an exchange or a queue.

    Not even to its lane: it could bind any queue to that, and there is what others have signed.
    """
    back = qpid.dialect.pause(LANE, there, 7)
    assert "refused" in qpid.tries(COMPUTE.name, declare("compute.host-1.pause.1", **back))


def test_the_broker_refuses_a_message_in_anothers_name(either: Broker):
    """The broker refuses a message whose user_id is not its publisher's."""
    for user in ("compute.host-1", "api", "conductor", "manage"):
        channel = either.channel(user)
        with pytest.raises((amqp.exceptions.PreconditionFailed, amqp.exceptions.AccessRefused), match=r"user.id"):
            publish(LANE if user.startswith("compute") else E, "conductor", user_id="compute.host-1.example")(channel)


# ---- what the broker does not check: further routing keys, and where a dead letter goes


@pytest.mark.parametrize("header", ["CC", "BCC"])
def test_a_second_key_leads_nowhere_else(either: Broker, header: str):
    """The broker checks only the routing key, not the further keys in these headers; but a lane leads only to its own
    queues.
    """
    channel = either.channel(broker.USER)
    for queue in (*QUEUES, FROM_IT, ANSWERS):
        channel.queue_purge(queue)
    keys = ["#", "*", "", *QUEUES, ANSWERS, *(f"{lane}.{key}" for lane in (LANE, OTHERS_LANE) for key in ("#", ""))]

    sent = publish(LANE, "nowhere", user_id=COMPUTE.name, application_headers={header: keys})
    assert either.tries(COMPUTE.name, sent).partition(":")[0] in ("", "refused")  # RabbitMQ 4 asks for each of them

    reached = {queue for queue in (*QUEUES, FROM_IT, ANSWERS) if whose(either, queue)}
    assert reached - OWN <= {FROM_IT, ANSWERS, "notifications.info", "notifications.error"}


def test_a_dead_letter_leads_nowhere_else(rabbit: Broker):
    """A dead letter of its own queue goes by its lane, under any key, and so reaches only its own queues."""
    for queue in QUEUES:
        rabbit.channel(broker.USER).queue_purge(queue)
    trap = "compute.host-1.pause.1"
    on = {"x-message-ttl": 0, "x-dead-letter-exchange": LANE, "x-dead-letter-routing-key": "compute.host-1.example"}
    assert rabbit.tries(COMPUTE.name, declare(trap, **on)) == ""
    assert rabbit.tries(COMPUTE.name, bind(trap, LANE, trap)) == ""

    assert rabbit.tries(COMPUTE.name, publish(LANE, trap, user_id=COMPUTE.name)) == ""

    late = {"notifications.info", "notifications.error"}  # what an earlier test told goes on after a moment
    assert {queue for queue in QUEUES if whose(rabbit, queue)} <= late
